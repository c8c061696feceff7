#include "stat/clustered_rate.h"

#include <gtest/gtest.h>

#include "base/rng.h"

namespace attune {
namespace {

TEST(ClusteredRate, OfTwoClustersByHand) {
  ClusteredRate rate;
  rate.add(1, 2);
  EXPECT_FALSE(rate.variance());
  rate.add(0, 2);
  rate.add(5, 0);  // nothing was shown to this one
  EXPECT_EQ(rate.clusters(), 2u);
  EXPECT_EQ(rate.rate(), 0.25);
  // Residuals .5 and -.5: squares .5, times 2 / 1, over 16.
  EXPECT_DOUBLE_EQ(*rate.variance(), 0.0625);
}

// Persons differ, and each is shown many items: the interval must hold the truth 95 times in 100,
// where one that counts items as independent holds it far less often.
TEST(ClusteredRate, HoldsTheTruthAsOftenAsItSays) {
  Rng rng(5);
  int held = 0, held_by_wilson = 0;
  constexpr int kRounds = 1000, kPersons = 200;
  for (int round = 0; round < kRounds; ++round) {
    ClusteredRate rate;
    for (int person = 0; person < kPersons; ++person) {
      const double p = rng.uniform() < 0.5 ? 0.05 : 0.35;  // 0.2 on average
      const int shown = 10 + static_cast<int>(20 * rng.uniform());
      int clicked = 0;
      for (int i = 0; i < shown; ++i) clicked += rng.uniform() < p ? 1 : 0;
      rate.add(clicked, shown);
    }
    const auto range = *rate.interval();
    held += range.low <= 0.2 && 0.2 <= range.high ? 1 : 0;
    const auto plain = wilson(rate.events(), rate.trials());
    held_by_wilson += plain.low <= 0.2 && 0.2 <= plain.high ? 1 : 0;
  }
  EXPECT_GE(held, 925);
  EXPECT_LE(held, 975);
  EXPECT_LT(held_by_wilson, 800);
}

TEST(ClusteredRate, TheDifferenceOfTwoHasTheSumOfTheirVariances) {
  ClusteredRate a, b;
  for (const double clicks : {1.0, 0.0, 2.0}) a.add(clicks, 4);
  for (const double clicks : {0.0, 1.0}) b.add(clicks, 4);
  const auto range = *difference_interval(a, b);
  EXPECT_DOUBLE_EQ((range.low + range.high) / 2, *a.rate() - *b.rate());
  EXPECT_DOUBLE_EQ((range.high - range.low) / 2, 1.96 * std::sqrt(*a.variance() + *b.variance()));
  EXPECT_FALSE(difference_interval(a, ClusteredRate()));
}

TEST(ClusteredRate, AnAlwaysValidDifferenceIsWiderAndNeedsClusters) {
  ClusteredRate a, b, few;
  for (int i = 0; i < 400; ++i) {
    a.add(i % 2, 4);
    b.add(i % 4 == 0 ? 1 : 0, 4);
    if (i < 29) few.add(1, 4);
  }
  const auto once = *difference_interval(a, b), always = *always_valid_difference(a, b);
  EXPECT_DOUBLE_EQ((always.low + always.high) / 2, (once.low + once.high) / 2);
  EXPECT_GT(always.high - always.low, 1.3 * (once.high - once.low));
  EXPECT_GT(always.low, 0);  // 0.125 against 0.0625
  EXPECT_FALSE(always_valid_difference(a, few));
  ClusteredRate nothing;
  for (int i = 0; i < 100; ++i) nothing.add(0, 4);
  EXPECT_FALSE(always_valid_difference(nothing, nothing));
}

// By hand: 100 clusters each of 1 trial, 20 and 10 events. Pooled rate .15, squares 200 * .1275,
// variance 25.5 / 199 * 2 / 100 = .0025628, events .0225 / variance = 8.7794,
// half = sqrt(variance * (1 + 30 / 8.7794) * ln(1.292647 / .0025)).
TEST(ClusteredRate, AnAlwaysValidDifferenceByHand) {
  ClusteredRate a, b;
  for (int i = 0; i < 100; ++i) {
    a.add(i < 20 ? 1 : 0, 1);
    b.add(i < 10 ? 1 : 0, 1);
  }
  const auto range = *always_valid_difference(a, b);
  EXPECT_NEAR((range.high + range.low) / 2, 0.1, 1e-12);
  EXPECT_NEAR((range.high - range.low) / 2, 0.2659515, 1e-6);
}

}  // namespace
}  // namespace attune
