#include "stat/order_scores.h"

#include <gtest/gtest.h>

#include <cmath>

#include "base/rng.h"

namespace attune {
namespace {

double value_of(const OrderScores& scores, std::string_view name) {
  return *find_measure(scores.measures(), name)->value;
}

// Scores fall with the number in the list.
OrderScores orders_of(std::initializer_list<std::vector<float>> lists) {
  OrderScores out;
  int group = 0;
  for (const std::vector<float>& labels : lists) {
    float score = 100;
    for (const float label : labels) out.add(std::to_string(group), score -= 1, label);
    ++group;
  }
  return out;
}

TEST(OrderScores, AGradeIsWorthTwoToItsPowerLessOne) {
  const OrderScores scores = orders_of({{0, 2, 1}});
  const double second = 1 / std::log2(3.0), third = 0.5;
  EXPECT_DOUBLE_EQ(value_of(scores, "ndcg_at_5"), (3 * second + 1 * third) / (3 + second));
  EXPECT_DOUBLE_EQ(value_of(scores, "mrr"), 0.5);
  EXPECT_DOUBLE_EQ(value_of(scores, "pairwise_accuracy"), 1. / 3);
}

TEST(OrderScores, OfOtherNumbersTheLargestOfAGroupIsWhatIsLookedFor) {
  const OrderScores scores = orders_of({{0.1F, 0.3F, 0.2F}, {-4, -5}, {0.5F, 0.5F}});
  EXPECT_DOUBLE_EQ(value_of(scores, "ndcg_at_5"), (1 / std::log2(3.0) + 1) / 2);
  EXPECT_DOUBLE_EQ(value_of(scores, "mrr"), 0.75);  // the third group has no best row
  EXPECT_DOUBLE_EQ(value_of(scores, "pairwise_accuracy"), (1 + 1) / 4.0);
}

TEST(OrderScores, ThePlacesBeyondTheListDoNotCount) {
  const OrderScores scores = orders_of({{0, 0, 0, 0, 0, 1}});
  EXPECT_EQ(value_of(scores, "ndcg_at_5"), 0);
  EXPECT_DOUBLE_EQ(value_of(scores, "ndcg_at_10"), 1 / std::log2(7.0));
}

TEST(OrderScores, EqualScoresCountAgainstTheRankerAndHalfInPairs) {
  OrderScores scores;
  for (const float label : {1.0F, 0.0F, 0.0F}) scores.add("a", 7, label);
  EXPECT_DOUBLE_EQ(value_of(scores, "mrr"), 1. / 3);
  EXPECT_DOUBLE_EQ(value_of(scores, "pairwise_accuracy"), 0.5);
}

TEST(OrderScores, PairsAgreeWithCountingThemOneByOne) {
  Rng rng(5);
  for (std::size_t n : {0, 1, 2, 9, 60}) {
    std::vector<float> scores, labels;
    for (std::size_t i = 0; i < n; ++i) {
      scores.push_back(rng.below(9) == 0 ? NAN : static_cast<float>(rng.below(8)));
      labels.push_back(static_cast<float>(rng.below(5)) - 2.5F);
    }
    double pairs = 0, right = 0;
    for (std::size_t a = 0; a < n; ++a) {
      for (std::size_t b = 0; b < n; ++b) {
        if (labels[a] <= labels[b]) continue;
        const float x = std::isnan(scores[a]) ? -1 : scores[a];
        const float y = std::isnan(scores[b]) ? -1 : scores[b];
        ++pairs;
        right += x > y ? 1 : x == y ? 0.5 : 0;
      }
    }
    const OrderedPairs found = ordered_pairs(scores, labels);
    EXPECT_EQ(found.pairs, pairs) << n;
    EXPECT_EQ(found.right, right) << n;
  }
}

TEST(OrderScores, TheBaselineIsWhatRandomOrdersHave) {
  OrderScores random;
  Rng rng(3);
  for (int group = 0; group < 4000; ++group) {
    for (int row = 0; row < 7; ++row) {
      random.add(std::to_string(group), static_cast<float>(rng.uniform()),
                 row < 2   ? 2.0F
                 : row < 4 ? 1.0F
                           : 0.0F);
    }
  }
  for (const Measure& measure : random.measures()) {
    EXPECT_LE(measure.interval->low, *measure.baseline) << measure.name;
    EXPECT_GE(measure.interval->high, *measure.baseline) << measure.name;
    EXPECT_LT(measure.interval->high - measure.interval->low, 0.03) << measure.name;
  }
}

TEST(OrderScores, WhatCannotBeSaidIsUndefinedInWords) {
  for (const Measure& measure : orders_of({{0, 0}, {0}}).measures()) {
    EXPECT_FALSE(measure.value) << measure.name;
    EXPECT_NE(measure.undefined, "") << measure.name;
  }
}

}  // namespace
}  // namespace attune
