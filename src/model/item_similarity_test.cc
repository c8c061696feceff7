#include "model/item_similarity.h"

#include <gtest/gtest.h>

#include <cmath>

namespace attune {
namespace {

// Three persons: {0, 1}, {0, 1, 2}, {2, 3}.
Interactions small() { return Interactions({{1, 0, 1}, {0, 2, 1}, {3, 2}}, 5); }

TEST(Interactions, SortsAndCountsEachOnce) {
  const Interactions train = small();
  EXPECT_EQ(train.persons(), 3U);
  EXPECT_EQ(train.items(), 5U);
  EXPECT_EQ(train.size(), 7U);
  const auto row = train.row(0);
  EXPECT_EQ(std::vector<std::uint32_t>(row.begin(), row.end()), (std::vector<std::uint32_t>{0, 1}));
  EXPECT_EQ(train.counts()[2], 2U);
  EXPECT_EQ(train.counts()[4], 0U);
  const Interactions takers = train.transposed();
  EXPECT_EQ(takers.persons(), 5U);
  EXPECT_EQ(takers.items(), 3U);
  EXPECT_EQ(takers.row(2)[1], 2U);
  EXPECT_TRUE(takers.row(4).empty());
}

TEST(ItemSimilarity, CosineByHand) {
  const ItemSimilarity model(small(), {.in = 0.5, .user = 0, .out = 0.5, .shrink = 0});
  std::vector<float> scores(5);
  const std::vector<std::uint32_t> history = {0};
  model.score(history, scores);
  EXPECT_FLOAT_EQ(scores[1], 1);     // both of 2
  EXPECT_FLOAT_EQ(scores[2], 0.5F);  // one of sqrt(2 * 2)
  EXPECT_EQ(scores[0], 0);           // an item says nothing of itself
  EXPECT_EQ(scores[3], 0);
  EXPECT_EQ(scores[4], 0);  // nobody took it
}

TEST(ItemSimilarity, ShrinkingByHand) {
  const ItemSimilarity model(small(), {.in = 0.5, .user = 0, .out = 0.5, .shrink = 2});
  std::vector<float> scores(5);
  const std::vector<std::uint32_t> history = {0};
  model.score(history, scores);
  EXPECT_FLOAT_EQ(scores[1], 2.0F / (2 + 2));
  EXPECT_FLOAT_EQ(scores[2], 1.0F / (2 + 2));
}

TEST(ItemSimilarity, WalksByHand) {
  const ItemSimilarity model(small(), {.in = 0.7, .user = 0.5, .out = 0.3, .shrink = 0});
  std::vector<float> scores(5);
  const std::vector<std::uint32_t> history = {0, 2};
  model.score(history, scores);
  const double from_0 = 1 / std::sqrt(2.0) + 1 / std::sqrt(3.0);  // by the first two persons
  const double from_2 = 1 / std::sqrt(3.0);                       // by the second
  EXPECT_NEAR(scores[1], (from_0 + from_2) * std::pow(2, -0.7) * std::pow(2, -0.3), 1e-6);
  EXPECT_NEAR(scores[3], std::pow(2, -0.7) / std::sqrt(2.0), 1e-6);
  EXPECT_EQ(model.pairs(), 8U);
}

}  // namespace
}  // namespace attune
