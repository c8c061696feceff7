#include "stat/ranking.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <numeric>

namespace attune {
namespace {

using Items = std::vector<std::uint32_t>;

TEST(TopOf, PutsTheBestFirstAndLeavesOutTheExcluded) {
  const std::vector<float> scores = {0.1F, 0.9F, 0.5F, 0.7F, 0.3F};
  const Items excluded = {1, 4}, none;
  EXPECT_EQ(top_of({scores, none, none, 3}), (Items{1, 3, 2}));
  EXPECT_EQ(top_of({scores, excluded, none, 3}), (Items{3, 2, 0}));
  EXPECT_EQ(top_of({scores, excluded, none, 10}), (Items{3, 2, 0}));
  EXPECT_TRUE(top_of({scores, excluded, none, 0}).empty());
}

TEST(TopOf, TiesCountAgainstTheRanker) {
  const std::vector<float> equal(100, 0.0F);
  const Items relevant = {0, 1, 2}, none;
  EXPECT_EQ(top_of({equal, none, relevant, 4}), (Items{3, 4, 5, 6}));
  const std::vector<float> few = {1, 1, 1};
  EXPECT_EQ(top_of({few, none, relevant, 2}), (Items{0, 1}));  // nothing else is left
}

TEST(TopOf, ANaNIsTheLowest) {
  const std::vector<float> scores = {std::numeric_limits<float>::quiet_NaN(), -5, -7};
  EXPECT_EQ(top_of({scores, {}, {}, 3}), (Items{1, 2, 0}));
}

TEST(TopOf, AgreesWithSortingEverything) {
  std::vector<float> scores;
  Items relevant;
  for (std::uint32_t i = 0; i < 5000; ++i) {
    scores.push_back(static_cast<float>(i * 7919 % 613));
    if (i % 11 == 0) relevant.push_back(i);
  }
  Items all(scores.size());
  std::iota(all.begin(), all.end(), 0U);
  std::stable_sort(all.begin(), all.end(), [&](std::uint32_t a, std::uint32_t b) {
    if (scores[a] != scores[b]) return scores[a] > scores[b];
    return a % 11 != 0 && b % 11 == 0;
  });
  all.resize(40);
  EXPECT_EQ(top_of({scores, {}, relevant, 40}), all);
}

TEST(ScoreList, ByHand) {
  // Places 1 and 3 of 4 hit, 3 to find: gain 1 + 1/2, ideal 1 + 1/log2(3) + 1/2.
  const std::vector<std::uint8_t> hits = {1, 0, 1, 0};
  const ListScore score = score_list(hits, 3, 4);
  EXPECT_DOUBLE_EQ(score.recall, 2.0 / 3);
  EXPECT_DOUBLE_EQ(score.ndcg, 1.5 / (1.5 + 1 / std::log2(3.0)));
  EXPECT_EQ(score.hit, 1);
  EXPECT_EQ(score.reciprocal_rank, 1);
  // More to find than places: the ideal is a full list, so that 1 can be reached.
  const std::vector<std::uint8_t> full = {1, 1};
  EXPECT_DOUBLE_EQ(score_list(full, 5, 2).ndcg, 1);
  EXPECT_DOUBLE_EQ(score_list(full, 5, 2).recall, 0.4);
}

TEST(ScoreList, OnlyTheFirstPlacesCount) {
  const std::vector<std::uint8_t> late = {0, 0, 1};
  EXPECT_EQ(score_list(late, 1, 2).recall, 0);
  EXPECT_EQ(score_list(late, 1, 2).reciprocal_rank, 0);
  EXPECT_DOUBLE_EQ(score_list(late, 1, 3).ndcg, 0.5);
  EXPECT_EQ(score_list({}, 1, 20).hit, 0);
}

TEST(RankingTally, MeansCoverageAndPopularityByHand) {
  const Items popularity = {10, 4, 1, 1};
  RankingTally tally(popularity, 2);
  tally.add(Items{0, 1}, Items{1, 2});  // recall 1/2
  tally.add(Items{0, 3}, Items{0});     // recall 1
  EXPECT_EQ(tally.persons(), 2U);
  EXPECT_DOUBLE_EQ(tally.recall().mean, 0.75);
  EXPECT_DOUBLE_EQ(tally.hit_rate().mean, 1);
  EXPECT_DOUBLE_EQ(tally.coverage(), 0.75);
  // Shown: (10 + 4 + 10 + 1) / 4; taken: (4 + 1 + 10) / 3.
  EXPECT_DOUBLE_EQ(*tally.popularity_bias(), 6.25 / 5);
  // Variance of 1/2 and 1 is 1/8: 1.96 * sqrt(1/16) = 0.49, cut at 1.
  EXPECT_NEAR(tally.recall().interval->low, 0.26, 1e-12);
  EXPECT_EQ(tally.recall().interval->high, 1);
}

TEST(RankingTally, SaysNothingOfNobody) {
  const Items popularity = {0, 0};
  RankingTally tally(popularity, 1);
  EXPECT_EQ(tally.recall().mean, 0);
  EXPECT_FALSE(tally.recall().interval);
  EXPECT_FALSE(tally.popularity_bias());
  tally.add(Items{0}, Items{1});
  EXPECT_FALSE(tally.recall().interval);
  EXPECT_FALSE(tally.popularity_bias());  // what was taken had never been taken before
}

}  // namespace
}  // namespace attune
