#include "simulate/world.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <set>

namespace attune {
namespace {

const World& world_one() {
  static const World world(1);
  return world;
}

// Frozen: results measured on World v1 stay comparable only while these hold. Changing them means
// a new world version.
TEST(World, DigestsAreFrozen) {
  EXPECT_EQ(world_digest(1), "c24699262053a677e5d65ebfe2e60dcf1a3674ff3405c66433bfb32009dfcf22");
  EXPECT_EQ(world_digest(2), "0ad2a7f9e06f4fea8af35c29945a7d7bbad68fbb7cd5c197c24b31c3dbe2e732");
  EXPECT_EQ(world_digest(3), "5a88930bf3b3e8c516b7f028ecb16201a5d07b1c6854bc9c7f8c246fd4e245eb");
}

TEST(World, Shape) {
  const World& world = world_one();
  ASSERT_EQ(world.persons().size(), 2000U);
  ASSERT_EQ(world.items().size(), 1000U);
  EXPECT_EQ(world.persons()[0].id, "p0001");
  EXPECT_EQ(world.items()[999].id, "i1000");
  std::set<std::string> categories;
  for (const SimItem& item : world.items()) {
    categories.insert(item.category);
    EXPECT_TRUE(item.tags.size() == 1 || item.tags.size() == 2);
    EXPECT_GT(item.price, 0);
  }
  EXPECT_EQ(categories.size(), 16U);
  for (const SimPerson& person : world.persons()) EXPECT_EQ(person.traits.size(), 4U);
}

TEST(World, OneInTwentyIsABot) {
  const World& world = world_one();
  std::size_t bots = 0;
  for (std::size_t p = 0; p < world.persons().size(); ++p) {
    if (!world.persons()[p].is_bot) continue;
    ++bots;
    EXPECT_EQ(world.p_click(p, p % 1000, 3), 0.5);
  }
  EXPECT_EQ(bots, 100U);
}

TEST(World, RatesAreInTheirRanges) {
  for (const std::uint64_t seed : {1U, 2U, 3U}) {
    const World world(seed);
    double base = 0;
    double clicks = 0;
    double pairs = 0;
    for (std::uint64_t k = 0; k < 200000; k += 2) {  // all 40 days
      const WorldRow row = world.row(k);
      if (world.persons()[row.person].is_bot) continue;
      base += row.p;
      clicks += row.click ? 1 : 0;
      ++pairs;
    }
    base /= pairs;
    EXPECT_NEAR(base, 0.04, 0.003);
    EXPECT_NEAR(clicks / pairs, 0.04, 0.003);
    double oracle = 0;
    double fourth = 0;  // the fourth slate of a day: 15 items already seen
    double persons = 0;
    for (std::size_t p = 0; p < world.persons().size(); ++p) {
      if (world.persons()[p].is_bot) continue;
      std::vector<bool> seen(world.items().size());
      oracle += world.oracle_rate(p, 20, seen, 5);
      for (const std::size_t item : world.best(p, 20, {}, 15)) seen[item] = true;
      fourth += world.oracle_rate(p, 20, seen, 5);
      ++persons;
    }
    oracle /= persons;
    fourth /= persons;
    const double popularity = world.popularity_rate(20, 5);
    SCOPED_TRACE(testing::Message()
                 << "seed " << seed << " base " << base << " popularity " << popularity
                 << " oracle " << oracle << " fourth slate " << fourth);
    EXPECT_GE(popularity / base, 1.3);
    EXPECT_LE(popularity / base, 2.0);
    EXPECT_LE(oracle / base, 8.0);
    EXPECT_GE(fourth / base, 5.0);
    EXPECT_LT(fourth, oracle);
    RecordProperty("rates", testing::PrintToString(std::vector<double>{base, popularity, oracle}));
  }
}

TEST(World, TraitsExplainHalfOfTheTasteVariance) {
  const World& world = world_one();
  const double n = static_cast<double>(world.persons().size());
  double explained = 0;
  double total = 0;
  for (std::size_t d = 0; d < kWorldTastes; ++d) {
    double e = 0, ee = 0, t = 0, tt = 0;
    for (std::size_t p = 0; p < world.persons().size(); ++p) {
      const double x = world.explained(p)[d];
      const double y = world.taste(p, 10)[d];
      e += x / n;
      ee += x * x / n;
      t += y / n;
      tt += y * y / n;
    }
    explained += ee - e * e;
    total += tt - t * t;
  }
  EXPECT_NEAR(explained / total, 0.5, 0.05);
  EXPECT_NEAR(total / static_cast<double>(kWorldTastes), 1.0, 0.05);
}

double drift_correlation(const World& world, double from, double to) {
  double ab = 0, aa = 0, bb = 0;
  for (std::size_t p = 0; p < world.persons().size(); ++p) {
    const Taste a = world.unobserved(p, from);
    const Taste b = world.unobserved(p, to);
    for (std::size_t d = 0; d < kWorldTastes; ++d) {
      ab += a[d] * b[d];
      aa += a[d] * a[d];
      bb += b[d] * b[d];
    }
  }
  return ab / std::sqrt(aa * bb);
}

TEST(World, DriftHalvesTheCorrelationIn20Days) {
  const World& world = world_one();
  EXPECT_NEAR(drift_correlation(world, 5, 25), 0.5, 0.02);
  EXPECT_NEAR(drift_correlation(world, 0, 40), 0.25, 0.02);
  EXPECT_NEAR(drift_correlation(world, 50, 70), 0.5, 0.02);  // past the stored days
  EXPECT_EQ(world.p_click(7, 8, 12.0), world.p_click(7, 8, 12.9));
}

TEST(World, BestIsBestAndLeavesOutTheExcluded) {
  const World& world = world_one();
  const std::vector<std::size_t> best = world.best(42, 1, {}, 10);
  ASSERT_EQ(best.size(), 10U);
  std::size_t above = 0;
  for (std::size_t i = 0; i < world.items().size(); ++i) {
    above += world.p_click(42, i, 1) > world.p_click(42, best.back(), 1) ? 1 : 0;
  }
  EXPECT_LE(above, 9U);
  std::vector<bool> exclude(world.items().size());
  exclude[best[0]] = true;
  EXPECT_EQ(world.best(42, 1, exclude, 1), std::vector<std::size_t>{best[1]});
  EXPECT_EQ(world.oracle_rate(42, 1, std::vector<bool>(world.items().size(), true), 5), 0);
}

TEST(World, RowsAreTheSameStreamOneByOne) {
  const World& world = world_one();
  const std::vector<WorldRow> rows = world.rows(100);
  EXPECT_EQ(world_row_csv(world, rows[99]), world_row_csv(world, world.row(99)));
  EXPECT_EQ(world.row(200000).day, 40.0);
  EXPECT_EQ(world.popular(0, 5).size(), 5U);
}

}  // namespace
}  // namespace attune
