#include "stat/calibration.h"

#include <gtest/gtest.h>

#include <cmath>

#include "base/rng.h"
#include "stat/metrics.h"
#include "stat/recalibration.h"
#include "stat/reliability.h"

namespace attune {
namespace {

struct Rows {
  std::vector<std::uint8_t> labels;
  std::vector<double> said, truth;
};

// A model that says the logit twice as far out and higher by 1 than it is: truth = sigmoid(z), said
// = sigmoid(2 z + 1).
Rows overconfident(std::size_t n, std::uint64_t seed) {
  Rng rng(seed);
  Rows rows;
  for (std::size_t i = 0; i < n; ++i) {
    const double z = rng.normal() - 1;
    rows.truth.push_back(sigmoid_of(z));
    rows.said.push_back(sigmoid_of(2 * z + 1));
    rows.labels.push_back(rng.chance(rows.truth.back()) ? 1 : 0);
  }
  return rows;
}

double mean_error(const Rows& rows, const CalibrationMap& map) {
  double sum = 0;
  for (std::size_t i = 0; i < rows.said.size(); ++i) {
    sum += std::fabs(map.apply(rows.said[i]) - rows.truth[i]);
  }
  return sum / static_cast<double>(rows.said.size());
}

std::vector<double> applied(const CalibrationMap& map, const std::vector<double>& said) {
  std::vector<double> out;
  for (const double p : said) out.push_back(map.apply(p));
  return out;
}

// Truth is Platt's form exactly: slope 1/2, offset -1/2. Standard errors at n = 20,000 are below
// .012 for both.
TEST(CalibrationMap, PlattFindsTheDistortion) {
  const Rows rows = overconfident(20'000, 1), fresh = overconfident(20'000, 2);
  const auto map = CalibrationMap::platt(rows.labels, rows.said);
  ASSERT_TRUE(map.ok());
  EXPECT_NEAR(map->slope(), 0.5, 0.05);
  EXPECT_NEAR(map->offset(), -0.5, 0.05);
  EXPECT_GT(mean_error(fresh, CalibrationMap()), 0.09);
  EXPECT_LT(mean_error(fresh, *map), 0.01);
}

TEST(CalibrationMap, IsotonicFindsTheDistortion) {
  const Rows rows = overconfident(20'000, 3), fresh = overconfident(20'000, 4);
  const auto map = CalibrationMap::isotonic(rows.labels, rows.said);
  ASSERT_TRUE(map.ok());
  EXPECT_LT(mean_error(fresh, *map), 0.02);
  EXPECT_LT(*log_loss(fresh.labels, applied(*map, fresh.said)),
            *log_loss(fresh.labels, fresh.said));
}

// A kink no line in logit has: said .1 to .5 is always .2, above it is right.
TEST(CalibrationMap, IsotonicFindsWhatPlattCannot) {
  Rng rng(5);
  Rows rows;
  for (int i = 0; i < 20'000; ++i) {
    const double p = 0.1 + 0.8 * rng.uniform();
    rows.said.push_back(p);
    rows.truth.push_back(p < 0.5 ? 0.2 : p);
    rows.labels.push_back(rng.chance(rows.truth.back()) ? 1 : 0);
  }
  const auto isotonic = CalibrationMap::isotonic(rows.labels, rows.said);
  const auto platt = CalibrationMap::platt(rows.labels, rows.said);
  ASSERT_TRUE(isotonic.ok() && platt.ok());
  EXPECT_LT(mean_error(rows, *isotonic), 0.02);
  EXPECT_GT(mean_error(rows, *platt), 2 * mean_error(rows, *isotonic));
}

TEST(CalibrationMap, PoolsNeighboursOutOfOrder) {
  const std::vector<std::uint8_t> labels = {0, 1, 0, 1, 1, 0, 1, 1};
  const std::vector<double> said = {.1, .2, .3, .4, .5, .6, .7, .8};
  const auto map = CalibrationMap::isotonic(labels, said);
  ASSERT_TRUE(map.ok());
  // .1 with the row of the rate 5/8 has .3125; .2 and .3 pool to 1/2; .4 to .6 to 2/3; .7 and .8
  // with theirs to 2.625/3.
  ASSERT_EQ(map->knots().size(), 7u);
  EXPECT_NEAR(map->knots()[0].rate, 0.3125, 1e-12);
  EXPECT_NEAR((map->apply(.2) + map->apply(.3)) / 2, 0.5, 0.01);
  EXPECT_NEAR(map->apply(.5), 2.0 / 3, 0.02);
  EXPECT_NEAR((map->apply(.7) + map->apply(.8)) / 2, 2.625 / 3, 0.01);
}

TEST(CalibrationMap, KeepsAucExactly) {
  const Rows rows = overconfident(5000, 6), fresh = overconfident(5000, 7);
  for (const auto kind : {CalibrationKind::kIsotonic, CalibrationKind::kPlatt}) {
    const auto map = CalibrationMap::fit(kind, rows.labels, rows.said);
    ASSERT_TRUE(map.ok());
    EXPECT_DOUBLE_EQ(*auc(fresh.labels, applied(*map, fresh.said)), *auc(fresh.labels, fresh.said))
        << calibration_kind_name(kind);
    EXPECT_GT(map->apply(0), 0);
    EXPECT_LT(map->apply(1), 1);
    EXPECT_TRUE(std::isnan(map->apply(NAN)));
  }
}

// Scores that say the opposite: order must stay, so the slope is held just above 0.
TEST(CalibrationMap, PlattNeverTurnsTheOrderRound) {
  Rng rng(8);
  Rows rows;
  for (int i = 0; i < 2000; ++i) {
    rows.said.push_back(rng.uniform());
    rows.labels.push_back(rng.chance(1 - rows.said.back()) ? 1 : 0);
  }
  const auto map = CalibrationMap::platt(rows.labels, rows.said);
  ASSERT_TRUE(map.ok());
  EXPECT_DOUBLE_EQ(map->slope(), CalibrationMap::kLeastSlope);
  EXPECT_NEAR(map->apply(0.5), 0.5, 0.05);
}

TEST(CalibrationMap, SurvivesEncodingAndRefusesDamage) {
  const Rows rows = overconfident(500, 9);
  for (const auto kind :
       {CalibrationKind::kNone, CalibrationKind::kIsotonic, CalibrationKind::kPlatt}) {
    const auto map = CalibrationMap::fit(kind, rows.labels, rows.said);
    ASSERT_TRUE(map.ok());
    std::string bytes;
    map->encode(bytes);
    const auto back = CalibrationMap::decode(bytes);
    ASSERT_TRUE(back.ok());
    EXPECT_EQ(applied(*back, rows.said), applied(*map, rows.said));
    EXPECT_FALSE(CalibrationMap::decode(std::string_view(bytes).substr(1)).ok());
    EXPECT_FALSE(CalibrationMap::decode(bytes + "x").ok());
  }
}

TEST(CalibrationMap, RefusesOneClass) {
  const auto map =
      CalibrationMap::isotonic(std::vector<std::uint8_t>{1, 1}, std::vector<double>{.5, .6});
  ASSERT_FALSE(map.ok());
  EXPECT_EQ(map.error().code, Code::kInvalid);
}

// The distortion changes at half time: of the last rows, the map of the beginning is wrong, the
// one that goes on learning right.
TEST(Recalibration, FollowsWhatChanges) {
  Rng rng(10);
  Recalibration map;
  double error = 0, untouched = 0;
  constexpr int kRows = 60'000, kLast = 10'000;
  for (int i = 0; i < kRows; ++i) {
    const double z = rng.normal() - 2, truth = sigmoid_of(i < kRows / 2 ? z : 0.7 * z + 1);
    const double said = sigmoid_of(z);
    if (i >= kRows - kLast) {
      error += std::fabs(map.apply(said) - truth) / kLast;
      untouched += std::fabs(said - truth) / kLast;
    }
    map.learn(said, rng.chance(truth));
  }
  EXPECT_GT(untouched, 0.2);
  EXPECT_LT(error, 0.02);
}

// A stream of one class and one score neither blows up nor turns the order round.
TEST(Recalibration, StaysFiniteWhereNothingIsToBeLearned) {
  Recalibration map;
  for (int i = 0; i < 100'000; ++i) map.learn(1e-9, false);
  map.learn(NAN, true);
  EXPECT_TRUE(std::isfinite(map.slope()) && std::isfinite(map.offset()));
  EXPECT_LT(map.apply(0.2), map.apply(0.3));
}

TEST(SliceRecalibration, GivesEachSliceItsOwn) {
  Rng rng(11);
  SliceRecalibration map;
  for (int i = 0; i < 20'000; ++i) {
    const double z = rng.normal();
    map.learn("high", sigmoid_of(z), rng.chance(sigmoid_of(z - 1)));
    map.learn("low", sigmoid_of(z), rng.chance(sigmoid_of(z + 1)));
  }
  EXPECT_NEAR(map.apply("high", 0.5), sigmoid_of(-1), 0.03);
  EXPECT_NEAR(map.apply("low", 0.5), sigmoid_of(1), 0.03);
  EXPECT_NEAR(map.apply("never seen", 0.5), 0.5, 0.05);
}

TEST(Reliability, BinsTellWhatHappened) {
  Reliability said_low;
  for (int i = 0; i < 1000; ++i) said_low.add(0.1, i < 200);
  for (int i = 0; i < 1000; ++i) said_low.add(0.6, i < 600);
  said_low.add(NAN, true);
  const auto bins = said_low.bins();
  ASSERT_EQ(bins.size(), 2u);
  EXPECT_NEAR(bins[0].predicted, 0.1, 1e-12);
  EXPECT_NEAR(bins[0].observed, 0.2, 1e-12);
  EXPECT_GT(bins[0].interval.low, 0.1);
  EXPECT_LE(bins[0].low, 0.1);
  EXPECT_GE(bins[0].high, 0.1);
  EXPECT_NEAR(*said_low.error(), 0.05, 1e-12);
  EXPECT_NEAR(*said_low.ratio(), 700.0 / 800, 1e-12);
  EXPECT_FALSE(Reliability().error());
  EXPECT_FALSE(Reliability().ratio());
}

// With right probabilities the error is what chance makes of it, about; and the interval of the
// ratio holds 1.
TEST(Reliability, ErrorOfTheTruthIsChance) {
  const Rows rows = overconfident(20'000, 12);
  Reliability truth, said;
  for (std::size_t i = 0; i < rows.labels.size(); ++i) {
    truth.add(rows.truth[i], rows.labels[i] != 0);
    said.add(rows.said[i], rows.labels[i] != 0);
  }
  EXPECT_EQ(truth.bins().size(), Reliability::kBins);
  EXPECT_LT(*truth.error(), 2.5 * *truth.error_by_chance());
  EXPECT_GT(*said.error(), 10 * *said.error_by_chance());
  EXPECT_LT(truth.ratio_interval()->low, 1);
  EXPECT_GT(truth.ratio_interval()->high, 1);
}

TEST(Reliability, NamesTheWorstSliceOnlyWhenSure) {
  std::vector<CalibrationSlice> slices(3);
  Rng rng(13);
  for (int i = 0; i < 3; ++i) {
    auto& slice = slices[static_cast<std::size_t>(i)];
    slice.slice = std::string(1, static_cast<char>('a' + i));
    const int rows = i == 2 ? 20 : 5000;  // c is far off, but nobody can tell yet
    for (int r = 0; r < rows; ++r) slice.reliability.add(0.2, rng.chance(i == 1 ? 0.3 : 0.2));
  }
  const CalibrationSlice* const worst = worst_slice(slices);
  ASSERT_NE(worst, nullptr);
  EXPECT_EQ(worst->slice, "b");
  slices.erase(slices.begin() + 1);
  EXPECT_EQ(worst_slice(slices), nullptr);
}

TEST(Reliability, NormalQuantiles) {
  EXPECT_NEAR(normal_two_sided(0.05), 1.959964, 1e-5);
  EXPECT_NEAR(normal_two_sided(0.001), 3.290527, 1e-5);
}

}  // namespace
}  // namespace attune
