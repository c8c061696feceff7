#include "model/tree_growing.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <set>

#include "base/rng.h"

namespace attune {
namespace {

// Column 0 says which of two groups a row is of, column 1 is noise.
GatheredRows two_groups(std::size_t rows, double low, double high) {
  Rng rng(1);
  GatheredRows out(1, 1, 1 << 20);
  for (std::size_t r = 0; r < rows; ++r) {
    const bool is_high = r % 4 == 0;
    const std::vector<float> row{is_high ? 1.0F : 0.0F, static_cast<float>(rng.normal())};
    out.add(row, rng.chance(is_high ? high : low) ? 1.0F : 0.0F, 1);
  }
  return out;
}

double mean_label(const GatheredRows& rows, bool is_high) {
  double sum = 0, n = 0;
  for (std::size_t r = 0; r < rows.size(); ++r) {
    if ((r % 4 == 0) != is_high) continue;
    sum += double{rows.labels()[r]};
    n += 1;
  }
  return sum / n;
}

TEST(TreeGrowing, OneSplitSaysTheMeansOfItsTwoSides) {
  const GatheredRows rows = two_groups(4000, 0.2, 0.7);
  const auto grown = grow_trees(rows, {.is_logistic = false, .depth = 1, .l2 = 0});
  ASSERT_TRUE(grown.ok()) << grown.error().message;
  ASSERT_EQ(grown->trees.size(), 1);
  const std::vector<float> low{0, 0}, high{1, 0};
  EXPECT_NEAR(grown->trees.sum(low), mean_label(rows, false), 1e-5);
  EXPECT_NEAR(grown->trees.sum(high), mean_label(rows, true), 1e-5);
}

// Newton's step from the logit of the mean: sum of (y - p) over sum of p (1 - p) and l2.
TEST(TreeGrowing, ALogisticLeafIsOneStepOfNewton) {
  const GatheredRows rows = two_groups(4000, 0.2, 0.7);
  const auto grown = grow_trees(rows, {.learning_rate = 0.5, .depth = 1, .l2 = 3});
  ASSERT_TRUE(grown.ok()) << grown.error().message;
  const double p = (3 * mean_label(rows, false) + mean_label(rows, true)) / 4;
  const double slope = 1000 * (mean_label(rows, true) - p), curve = 1000 * p * (1 - p);
  const std::vector<float> high{1, 0};
  EXPECT_NEAR(grown->trees.sum(high), std::log(p / (1 - p)) + 0.5 * slope / (curve + 3), 1e-4);
}

TEST(TreeGrowing, StopsWhenTheRowsHeldBackGainNothing) {
  const GatheredRows rows = two_groups(4000, 0.2, 0.7);
  TreeGrowing how{.rounds = 400, .patience = 10, .learning_rate = 0.3};
  const auto grown = grow_trees(rows, how);
  ASSERT_TRUE(grown.ok());
  EXPECT_LT(grown->rounds, 100);
  EXPECT_EQ(grown->trees.size(), grown->rounds);
  EXPECT_FALSE(grown->is_still_falling);
  how.rounds = 2;
  EXPECT_TRUE(grow_trees(rows, how)->is_still_falling);
}

TEST(TreeGrowing, BagsHoldBackEachRowOnceAndCountByTheirMean) {
  const GatheredRows rows = two_groups(4000, 0.2, 0.7);
  const auto grown = grow_trees(
      rows, {.rounds = 400, .patience = 10, .bags = 4, .learning_rate = 0.1, .depth = 2});
  ASSERT_TRUE(grown.ok());
  for (const bool is_high : {false, true}) {
    double sum = 0;  // over the noise
    for (int noise = -20; noise <= 20; ++noise) {
      const std::vector<float> row{is_high ? 1.0F : 0.0F, 0.05F * static_cast<float>(noise)};
      sum += grown->trees.sum(row) / 41;
    }
    const double p = mean_label(rows, is_high);
    EXPECT_NEAR(sum, std::log(p / (1 - p)), 0.1);
  }
}

// How many sums the rows have.
std::size_t sums_of(const GatheredRows& rows, const TreeGrowing& how) {
  const auto grown = grow_trees(rows, how);
  EXPECT_EQ(grown->trees.size(), how.bags);
  std::set<double> sums;
  for (const bool is_high : {false, true}) {
    for (int noise = -300; noise <= 300; ++noise) {
      const std::vector<float> row{is_high ? 1.0F : 0.0F, 0.01F * static_cast<float>(noise)};
      sums.insert(grown->trees.sum(row));
    }
  }
  return sums.size();
}

TEST(TreeGrowing, EverySecondOfMixedBagsCountsLeaves) {
  const GatheredRows rows = two_groups(4000, 0.2, 0.7);
  TreeGrowing how{.rounds = 1, .patience = 1, .bags = 2, .depth = 1};
  EXPECT_LE(sums_of(rows, how), 4U);  // two leaves, and two
  how.is_mixed = true;
  const std::size_t mixed = sums_of(rows, how);
  EXPECT_GT(mixed, 8U);
  EXPECT_LE(mixed, 2U * 31U);
  how.depth = 64;
  how.leaves = 31;
  EXPECT_GT(sums_of(rows, how), mixed);
}

TEST(TreeGrowing, TheSameSeedGrowsTheSameTrees) {
  const GatheredRows rows = two_groups(2000, 0.2, 0.7);
  const auto bytes = [&](std::uint64_t seed) {
    std::string out;
    grow_trees(rows, {.rounds = 5, .row_share = 0.5, .seed = seed})->trees.encode(out);
    return out;
  };
  EXPECT_EQ(bytes(1), bytes(1));
  EXPECT_NE(bytes(1), bytes(2));
}

TEST(TreeGrowing, BagsSideBySideAreTheSameTrees) {
  const GatheredRows rows = two_groups(2000, 0.2, 0.7);
  const auto bytes = [&](std::size_t threads) {
    std::string out;
    TreeGrowing how{.rounds = 50, .patience = 5, .bags = 5, .is_mixed = true, .row_share = 0.5};
    how.threads = threads;
    grow_trees(rows, how)->trees.encode(out);
    return out;
  };
  EXPECT_EQ(bytes(2), bytes(1));
  EXPECT_EQ(bytes(8), bytes(1));
}

TEST(TreeGrowing, OneModelIsTheSameOnAnyNumberOfThreads) {
  const GatheredRows rows = two_groups(20'000, 0.2, 0.7);
  const auto bytes = [&](std::size_t threads, std::size_t trees_per_round) {
    std::string out;
    TreeGrowing how{.rounds = 20, .trees_per_round = trees_per_round, .row_share = 0.5};
    how.threads = threads;
    grow_trees(rows, how)->trees.encode(out);
    return out;
  };
  for (const std::size_t trees : {1U, 5U}) {
    EXPECT_EQ(bytes(2, trees), bytes(1, trees));
    EXPECT_EQ(bytes(3, trees), bytes(1, trees));
  }
}

TEST(TreeGrowing, NoRowsAreRefusedAndNoColumnsSayTheMean) {
  EXPECT_FALSE(grow_trees(GatheredRows(1, 0, 1 << 20), {}).ok());
  GatheredRows rows(0, 0, 1 << 20);
  rows.add({}, 1, 1);
  rows.add({}, 0, 3);
  const auto grown = grow_trees(rows, {.is_logistic = false});
  ASSERT_TRUE(grown.ok());
  EXPECT_EQ(grown->trees.sum({}), 0.25);
}

TEST(GatheredRows, BeyondTheLimitEverySecondRowIsKept) {
  GatheredRows rows(1, 1, 1);  // the least there is: 8,192 rows
  for (int r = 0; r < 20'000; ++r) {
    const std::vector<float> row{static_cast<float>(r % 1000), static_cast<float>(r)};
    rows.add(row, static_cast<float>(r % 7), static_cast<float>(r + 1));
  }
  EXPECT_EQ(rows.seen(), 20'000);
  ASSERT_EQ(rows.size(), 5'000);  // every fourth
  std::vector<float> out(2 * rows.size());
  std::vector<std::uint32_t> all(rows.size());
  std::iota(all.begin(), all.end(), 0U);
  rows.copy(all, out);
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const int r = static_cast<int>(4 * i);
    ASSERT_EQ(out[2 * i], static_cast<float>(r % 1000));
    ASSERT_EQ(out[2 * i + 1], static_cast<float>(r));
    ASSERT_EQ(rows.labels()[i], static_cast<float>(r % 7));
    ASSERT_EQ(rows.weights()[i], static_cast<float>(r + 1));
  }
}

// Groups of 8 rows. Column 0 orders them; column 1 is a number of the group, which says how large
// its labels are and nothing of their order; column 2 is noise.
GatheredRows ordered_groups(std::size_t groups, bool is_graded) {
  Rng rng(3);
  GatheredRows out(0, 3, 8 << 20, true);
  for (std::uint32_t row = 0; row < groups * 8; ++row) {
    // One after another of each group in turn: rows of a group do not come side by side.
    const auto group = static_cast<std::uint32_t>(row % groups);
    const double x = rng.normal(), size = 10 * std::sin(group);
    const double y = x + rng.normal() + size;
    const float label = is_graded ? (x + rng.normal() > 1 ? 1.0F : 0.0F) : static_cast<float>(y);
    out.add(std::vector<float>{static_cast<float>(x), static_cast<float>(size),
                               static_cast<float>(rng.normal())},
            label, 1, group);
  }
  return out;
}

TEST(TreeGrowing, ARankingLearnsTheOrderInsideGroupsAndNotTheirSize) {
  for (const bool is_graded : {false, true}) {
    const auto grown = grow_trees(ordered_groups(400, is_graded), {.is_ranking = true,
                                                                   .rounds = 200,
                                                                   .patience = 20,
                                                                   .bags = 2,
                                                                   .learning_rate = 0.1,
                                                                   .depth = 3});
    ASSERT_TRUE(grown.ok()) << grown.error().message;
    EXPECT_LT(grown->rounds, 200) << "held back groups say when to stop";
    const auto sum = [&](float x, float size) {
      return grown->trees.sum(std::vector<float>{x, size, 0});
    };
    EXPECT_GT(sum(1.5F, 0), sum(0.5F, 0));
    EXPECT_GT(sum(0.5F, 0), sum(-1, 0) + 0.1);
    EXPECT_LT(std::fabs(sum(0, 9) - sum(0, -9)), (sum(1.5F, 0) - sum(-1, 0)) / 2);
  }
}

TEST(TreeGrowing, RowsOfAGroupNeedNotComeSideBySide) {
  const GatheredRows mixed = ordered_groups(60, false);
  std::vector<std::uint32_t> order(mixed.size());
  std::iota(order.begin(), order.end(), 0U);
  std::stable_sort(order.begin(), order.end(), [&](std::uint32_t a, std::uint32_t b) {
    return mixed.groups()[a] < mixed.groups()[b];
  });
  GatheredRows sorted(0, 3, 8 << 20, true);
  for (const std::uint32_t row : order) {
    std::vector<float> values(3);
    mixed.copy(std::span(&row, 1), values);
    sorted.add(values, mixed.labels()[row], 1, mixed.groups()[row]);
  }
  const TreeGrowing how{.is_ranking = true, .rounds = 5, .depth = 3};
  const std::vector<float> row{0.7F, 1, 0};
  EXPECT_EQ(grow_trees(mixed, how)->trees.sum(row), grow_trees(sorted, how)->trees.sum(row));
}

}  // namespace
}  // namespace attune
