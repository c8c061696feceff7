#include "cli/tally.h"

#include <gtest/gtest.h>

#include "base/rng.h"

namespace attune {
namespace {

// One visit of every person in each quarter, with these click chances by share.
Tally play(double learned, double popularity, double oracle, std::uint64_t seed) {
  constexpr std::size_t kPersons = 1000, kSlate = 50;
  Tally tally(kPersons, 4 * kPersons * kSlate);
  Rng rng(seed);
  std::uint64_t played = 0;
  for (int quarter = 0; quarter < 4; ++quarter) {
    for (std::size_t person = 0; person < kPersons; ++person) {
      Shown seen{.shown = kSlate, .clicks = 0, .oracle = kSlate * oracle};
      const double p = share_of(person) == Share::kLearned ? learned : popularity;
      for (std::size_t i = 0; i < kSlate; ++i) seen.clicks += rng.chance(p);
      tally.add(person, played, seen);
      played += kSlate;
    }
  }
  return tally;
}

TEST(Tally, GapClosedLiesBetweenPopularityAndOracle) {
  const Estimate gap = play(0.2, 0.1, 0.3, 1).gap_closed(1);
  // 4 standard errors: 100 persons x 50 impressions of popularity give 0.0042, over a gap of 0.2.
  EXPECT_NEAR(gap.value, 0.5, 0.1);
  EXPECT_LT(gap.low, gap.value);
  EXPECT_GT(gap.high, gap.value);
}

TEST(Tally, IntervalCoversTheTruthAboutAsOftenAsItSays) {
  int covered = 0;
  for (std::uint64_t seed = 1; seed <= 60; ++seed) {
    const Estimate gap = play(0.2, 0.1, 0.3, seed).gap_closed(seed);
    covered += gap.low <= 0.5 && 0.5 <= gap.high;
  }
  EXPECT_GE(covered, 50);  // 57 expected, standard deviation 1.7
}

TEST(Tally, OnlyTheLastQuarterIsLate) {
  Tally tally(10, 400);
  tally.add(5, 299, {.shown = 5, .clicks = 5, .oracle = 1});
  EXPECT_EQ(tally.late(Share::kLearned).shown, 0u);
  tally.add(5, 300, {.shown = 5, .clicks = 0, .oracle = 1});
  EXPECT_EQ(tally.late(Share::kLearned).shown, 5u);
  EXPECT_EQ(tally.late(Share::kLearned).clicks, 0u);
  EXPECT_EQ(tally.all(Share::kLearned).shown, 10u);
  EXPECT_EQ(tally.part(Share::kLearned, tally.part_of(300)).shown, 5u);
}

}  // namespace
}  // namespace attune
