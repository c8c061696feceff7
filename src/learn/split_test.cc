#include "learn/split.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "base/rng.h"

namespace attune {
namespace {

std::vector<float> rare_labels(std::size_t n) {
  std::vector<float> labels(n);
  for (std::size_t i = 0; i < n; ++i) labels[i] = i % 10 == 0 ? 1.0F : 0.0F;
  return labels;
}

std::size_t positives(const std::vector<std::uint32_t>& rows, const std::vector<float>& labels) {
  return static_cast<std::size_t>(
      std::count_if(rows.begin(), rows.end(), [&](auto row) { return labels[row] == 1; }));
}

TEST(RandomSplit, TakesTheShareOfEachLabelAndKeepsToItsSeed) {
  const auto labels = rare_labels(1000);
  const Split split = random_split(labels, 0.2, 7);
  EXPECT_EQ(split.test.size(), 200u);
  EXPECT_EQ(split.train.size(), 800u);
  EXPECT_EQ(positives(split.test, labels), 20u);
  EXPECT_EQ(split.test, random_split(labels, 0.2, 7).test);
  EXPECT_NE(split.test, random_split(labels, 0.2, 8).test);
  std::vector<std::uint32_t> both = split.train;
  both.insert(both.end(), split.test.begin(), split.test.end());
  std::sort(both.begin(), both.end());
  for (std::size_t i = 0; i < both.size(); ++i) ASSERT_EQ(both[i], i);
}

TEST(RandomFolds, TestEachRowOnce) {
  const auto labels = rare_labels(103);
  const auto folds = random_folds(labels, 5, 1);
  std::vector<int> tested(labels.size());
  for (const Split& fold : folds) {
    EXPECT_EQ(fold.train.size() + fold.test.size(), labels.size());
    EXPECT_GE(positives(fold.test, labels), 2u);
    for (const auto row : fold.test) ++tested[row];
  }
  EXPECT_TRUE(std::all_of(tested.begin(), tested.end(), [](int n) { return n == 1; }));
}

TEST(TimeSplit, NeverLearnsFromALaterRow) {
  Rng rng(3);
  std::vector<std::int64_t> times(500);
  for (auto& time : times) time = static_cast<std::int64_t>(rng.below(40));
  const auto latest = [&](const auto& rows) {
    std::int64_t most = -1;
    for (const auto row : rows) most = std::max(most, times[row]);
    return most;
  };
  const auto earliest = [&](const auto& rows) {
    std::int64_t least = 1000;
    for (const auto row : rows) least = std::min(least, times[row]);
    return least;
  };
  const Split split = time_split(times, 0.25);
  EXPECT_LT(latest(split.train), earliest(split.test));
  EXPECT_NEAR(static_cast<double>(split.test.size()), 125, 25);
  for (const Split& fold : time_folds(times, 4)) {
    EXPECT_LE(latest(fold.train), earliest(fold.test));
    EXPECT_EQ(fold.test.size(), 100u);
  }
}

TEST(TimeSplit, OneTimeFallsBackOnTheOrderOfRows) {
  const Split split = time_split(std::vector<std::int64_t>(10, 5), 0.2);
  EXPECT_EQ(split.test, (std::vector<std::uint32_t>{8, 9}));
}

}  // namespace
}  // namespace attune
