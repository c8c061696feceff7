#include "event/would_change.h"

#include <gtest/gtest.h>

#include <cmath>

namespace attune {
namespace {

double sigmoid(double x) { return 1 / (1 + std::exp(-x)); }

// One shown item ranked by the model: bias -2, sport +1, tag +0.3, a number 2 * 0.4.
Decision one(double other_score, double boost = 1) {
  Decision d;
  ShownItem item;
  item.item_id = "v1";
  item.source = "popular";
  item.parts = {{"bias", 1, 1, -2},
                {"category=sport", 2, 1, 1},
                {"tag=run", 3, 1, 0.3F},
                {"interest", 4, 2, 0.8F}};
  item.p_click = static_cast<float>(sigmoid(0.1));
  item.score = static_cast<float>(boost * sigmoid(0.1));
  item.instead = 1;
  d.shown = {item};
  d.others = {{"v2", "latest", static_cast<float>(other_score)}};
  return d;
}

WouldChange change_of(const Decision& d) {
  return would_change(d, d.shown[0]).value_or(WouldChange{"none", 0, 0, 0, ""});
}

TEST(WouldChange, IsTheSmallestPartThatSuffices) {
  const WouldChange near = change_of(one(sigmoid(-0.1)));  // 0.2 below
  EXPECT_EQ(near.part, "interest") << "a number need not go all the way";
  EXPECT_NEAR(near.to, 2 - 0.2 / 0.4, 1e-5);
  EXPECT_EQ(near.then, "v2");
  Decision d = one(sigmoid(-0.1));
  d.shown[0].parts[3].part = 0.1F;  // too little now
  d.shown[0].parts[0].part = -1.3F;
  EXPECT_EQ(change_of(d).part, "tag=run");
  EXPECT_EQ(change_of(d).to, 0);
  EXPECT_NEAR(change_of(d).score, sigmoid(-0.2), 1e-6);
  d.others[0].score = static_cast<float>(sigmoid(-0.5));
  EXPECT_EQ(change_of(d).part, "category=sport");
  EXPECT_EQ(would_change_sentence(d, d.shown[0]),
            "Without category=sport its score would be 0.2891 instead of 0.5250: v2 (0.3775) would "
            "take its place.");
}

TEST(WouldChange, SaysHowFarTheScoreIsWhenNoPartSuffices) {
  const Decision d = one(sigmoid(-3));
  EXPECT_EQ(change_of(d).part, "score");
  EXPECT_NEAR(change_of(d).to, sigmoid(-3), 1e-6);
  EXPECT_EQ(
      would_change_sentence(d, d.shown[0]),
      "No single part decides it: its score of 0.5250 would have to fall below 0.0474, then v2 "
      "(0.0474) would take its place.");
}

TEST(WouldChange, ABoostMayBeTheLeast) {
  const Decision d = one(sigmoid(0.15), 1.1);  // without the boost it is below already
  EXPECT_EQ(change_of(d).part, "boost");
  EXPECT_NEAR(change_of(d).from, 1.1, 1e-6);
  EXPECT_EQ(change_of(d).to, 1);
}

TEST(WouldChange, LeavesAsideWhatAllShownItemsHave) {
  Decision d = one(sigmoid(-0.8));
  EXPECT_EQ(change_of(d).part, "category=sport");
  d.shown.push_back(d.shown[0]);
  d.shown[1].parts.erase(d.shown[1].parts.begin() + 3);  // the number is the first one's own
  EXPECT_EQ(change_of(d).part, "score");
}

TEST(WouldChange, NothingWhereTheScoreDidNotDecide) {
  Decision d = one(sigmoid(-1));
  const auto says = [&] { return would_change_sentence(d, d.shown[0]); };
  d.shown[0].is_explored = true;
  EXPECT_EQ(change_of(d).part, "none");
  EXPECT_NE(says().find("exploration"), std::string::npos);
  d = one(sigmoid(-1));
  d.policy = Policy::kRandom;
  EXPECT_NE(says().find("drawn at random"), std::string::npos);
  d = one(sigmoid(-1));
  d.shown[0].instead = 0;
  EXPECT_EQ(change_of(d).part, "none");
  EXPECT_NE(says().find("No other item was allowed"), std::string::npos);
  d = one(sigmoid(-1));
  d.policy = Policy::kControl;
  EXPECT_EQ(change_of(d).part, "popularity");
  d.shown[0].source = "pin";
  EXPECT_EQ(change_of(d).part, "none");
  d.others[0].score = 0.9F;
  EXPECT_EQ(change_of(d).part, "pin");
  EXPECT_EQ(says(), "Without its pin v2 (0.9000) would take its place.");
}

}  // namespace
}  // namespace attune
