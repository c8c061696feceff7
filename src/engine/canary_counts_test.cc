#include "engine/canary_counts.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "base/rng.h"

namespace attune {
namespace {

// A canary on a fifth of 500 persons, who differ and come back: 60 looks after 40 visits each. A
// canary's rate is that of the others times `effect`.
struct Played {
  int ended_at = 0;  // look; 0 = never
  int won_at = 0;
  bool is_left_out_once = false;  // 0 by an interval made for one look, at any
};

Played play(std::uint64_t seed, double effect) {
  Rng rng(seed);
  std::vector<double> taste(500);
  for (double& p : taste) p = 0.02 + 0.3 * rng.uniform() * rng.uniform();
  CanaryCounts counts;
  Played out;
  for (int look = 1; look <= 60; ++look) {
    for (int visit = 0; visit < 40; ++visit) {
      // The first persons come most often.
      const auto person = static_cast<std::uint64_t>(500 * rng.uniform() * rng.uniform());
      const Arm arm = person % 5 == 0 ? Arm::kTried : Arm::kOthers;
      Decision made;
      made.id = std::to_string(look) + "." + std::to_string(visit);
      for (const char* item : {"a", "b", "c", "d", "e"}) made.shown.emplace_back().item_id = item;
      counts.show(made, person, arm);
      const double p = taste[person] * (arm == Arm::kTried ? effect : 1);
      for (const ShownItem& shown : made.shown) {
        if (rng.chance(p)) counts.engage(made.id, shown.item_id);
      }
    }
    const auto once = difference_interval(counts.rate(Arm::kTried), counts.rate(Arm::kOthers));
    out.is_left_out_once |= once && once->high < 0;
    if (out.ended_at == 0 && counts.harm()) out.ended_at = look;
    if (out.won_at == 0 && counts.gain()) out.won_at = look;
  }
  return out;
}

// At most 5 of 100 may; an interval made for one look ends far more, so the bar is not idle.
TEST(CanaryCounts, AnEqualCanaryIsSeldomEndedHoweverOftenItIsLookedAt) {
  int ended = 0, won = 0, ended_by_one_look = 0;
  for (std::uint64_t seed = 1; seed <= 200; ++seed) {
    const Played played = play(seed, 1);
    ended += played.ended_at != 0 ? 1 : 0;
    won += played.won_at != 0 ? 1 : 0;
    ended_by_one_look += played.is_left_out_once ? 1 : 0;
  }
  RecordProperty("ended", ended);
  RecordProperty("won", won);
  RecordProperty("ended_by_one_look", ended_by_one_look);
  EXPECT_LE(ended, 10);
  EXPECT_LE(won, 10);
  EXPECT_GT(ended_by_one_look, 20);
}

TEST(CanaryCounts, AHarmfulCanaryIsEndedAndABetterOneWins) {
  int ended = 0, better = 0, won = 0, harmful_won = 0;
  for (std::uint64_t seed = 1; seed <= 50; ++seed) {
    const Played harmful = play(seed, 0.4), good = play(seed, 1.9);
    ended += harmful.ended_at != 0 ? 1 : 0;
    harmful_won += harmful.won_at != 0 ? 1 : 0;
    better += play(seed, 1.6).ended_at != 0 ? 1 : 0;
    won += good.won_at != 0 ? 1 : 0;
  }
  RecordProperty("won", won);
  EXPECT_GE(ended, 45);
  EXPECT_GE(won, 45);
  EXPECT_EQ(better, 0);
  EXPECT_EQ(harmful_won, 0);
}

TEST(CanaryCounts, AnItemCountsOnceAndOnlyWhereItWasShown) {
  CanaryCounts counts;
  Decision made;
  made.id = "d_1";
  made.shown.emplace_back().item_id = "a";
  made.shown.emplace_back().item_id = "b";
  counts.show(made, 7, Arm::kTried);
  counts.engage("d_1", "a");
  counts.engage("d_1", "a");
  counts.engage("d_1", "c");
  counts.engage("d_2", "b");
  EXPECT_EQ(counts.rate(Arm::kTried).rate(), 0.5);
  EXPECT_FALSE(counts.rate(Arm::kOthers).rate());
  EXPECT_FALSE(counts.harm());
}

TEST(CanaryCounts, ADecisionTellsWhereThePlacementAsksForTheModel) {
  Catalog catalog;
  for (const char* change :
       {R"({"op":"register_model","model":{"name":"ranker","id":"m_AAAAAAAAAAAAAAAAAAAAAAAAAA",)"
        R"("kind":"fm","input":"workspace","bytes":1}})",
        R"({"op":"put_placement","placement":{"name":"feed","model":"ranker"}})"}) {
    const Status applied = catalog.apply(change, Time{});
    ASSERT_TRUE(applied.ok()) << applied.error().message;
  }
  const Challenger challenger{2, 0.1, time_from_us(1000)};
  Decision made;
  made.placement = "feed";
  made.time = time_from_us(1000);
  made.model = "ranker@2+17";
  EXPECT_EQ(arm_of(made, catalog, "ranker", challenger), Arm::kTried);
  made.model = "ranker@20";
  EXPECT_EQ(arm_of(made, catalog, "ranker", challenger), Arm::kOthers);
  made.policy = Policy::kControl;
  EXPECT_FALSE(arm_of(made, catalog, "ranker", challenger));
  made.policy = Policy::kLearned;
  made.time = time_from_us(999);
  EXPECT_FALSE(arm_of(made, catalog, "ranker", challenger));
  made.time = time_from_us(1000);
  made.placement = "home";
  EXPECT_FALSE(arm_of(made, catalog, "ranker", challenger));
}

}  // namespace
}  // namespace attune
