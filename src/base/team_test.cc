#include "base/team.h"

#include <gtest/gtest.h>

#include <array>
#include <numeric>

namespace attune {
namespace {

constexpr std::size_t kMembers = 4;

TEST(Team, EveryPartOfEveryPhaseIsDoneOnce) {
  constexpr std::size_t kPhases = 70'000;  // more than are begun at once
  Team team(kMembers);
  ASSERT_EQ(team.size(), kMembers);
  std::vector<std::array<int, kMembers>> done(kPhases);
  team.run(kPhases, [&](std::size_t phase, std::size_t member) { ++done[phase][member]; });
  for (const auto& phase : done) ASSERT_EQ(phase, (std::array<int, kMembers>{1, 1, 1, 1}));
}

// Each phase a part sums up what all wrote in the phase before.
TEST(Team, WhatWasDoneInAPhaseIsSeenByAllInTheNext) {
  constexpr std::size_t kPhases = 500;
  Team team(kMembers);
  std::array<std::array<std::uint64_t, kMembers>, 2> written{};
  written[0].fill(1);
  std::uint64_t wanted = 1;
  for (int run = 0; run < 50; ++run) {
    team.run(kPhases, [&](std::size_t phase, std::size_t member) {
      const auto& from = written[phase % 2];
      written[(phase + 1) % 2][member] =
          std::accumulate(from.begin(), from.end(), std::uint64_t{phase}) % 1'000'003;
    });
    for (std::size_t phase = 0; phase < kPhases; ++phase) {
      wanted = (kMembers * wanted + phase) % 1'000'003;
    }
    for (const std::uint64_t one : written[kPhases % 2]) ASSERT_EQ(one, wanted);
  }
}

TEST(Team, OfOneIsTheCallerAlone) {
  Team team(1);
  std::vector<std::thread::id> seen;
  team.run(3, [&](std::size_t, std::size_t) { seen.push_back(std::this_thread::get_id()); });
  EXPECT_EQ(seen, std::vector<std::thread::id>(3, std::this_thread::get_id()));
  team.run(0, [&](std::size_t, std::size_t) { FAIL(); });
}

}  // namespace
}  // namespace attune
