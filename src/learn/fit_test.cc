#include "learn/fit.h"

#include <gtest/gtest.h>

#include <atomic>
#include <cmath>

#include "base/rng.h"
#include "learn/evaluation.h"
#include "learn/input_map.h"
#include "learn/prefetch.h"

namespace attune {
namespace {

// Rows whose label follows from feature 1 of five.
Examples rows_of(std::size_t n) {
  Examples rows;
  Rng rng(9);
  for (std::size_t i = 0; i < n; ++i) {
    const bool is_fond = rng.chance(0.5);
    rows.features.push_back({static_cast<std::uint32_t>(10 + rng.below(5)), 1});
    rows.fields.push_back(0);
    if (is_fond) {
      rows.features.push_back({1, 1});
      rows.fields.push_back(1);
    }
    rows.labels.push_back(rng.chance(is_fond ? 0.8 : 0.2) ? 1.0F : 0.0F);
    rows.ends.push_back(static_cast<std::uint32_t>(rows.features.size()));
  }
  return rows;
}

std::unique_ptr<Model> ftrl() {
  ModelOptions options;
  options.bits = 10;
  return std::move(make_model(options)).value();
}

std::string bytes_of(const Model& model) {
  std::string bytes;
  model.encode(bytes);
  return bytes;
}

TEST(MemoryBlocks, HandOutEachRowOncePerPassInAnOrderOfTheSeed) {
  const Examples rows = rows_of(2500);
  MemoryBlocks blocks(rows, every_row(2500)), again(rows, every_row(2500));
  blocks.shuffled(3);
  again.shuffled(3);
  std::vector<float> orders[2];
  for (std::size_t pass = 0; pass < 2; ++pass) {
    ASSERT_TRUE(blocks.begin(pass).ok() && again.begin(pass).ok());
    Examples block, same;
    std::size_t seen = 0;
    double sum = 0;
    while (*blocks.next(block)) {
      ASSERT_TRUE(*again.next(same));
      EXPECT_EQ(block.labels, same.labels);
      EXPECT_LE(block.size(), kBlockRows);
      seen += block.size();
      for (const float label : block.labels) sum += static_cast<double>(label);
      orders[pass].insert(orders[pass].end(), block.labels.begin(), block.labels.end());
    }
    EXPECT_EQ(seen, 2500u);
    double truth = 0;
    for (const float label : rows.labels) truth += static_cast<double>(label);
    EXPECT_EQ(sum, truth);
    EXPECT_EQ(blocks.share(), 1);
  }
  EXPECT_NE(orders[0], orders[1]);
}

TEST(Fit, LossFallsAndSameSeedGivesTheSameModel) {
  const Examples rows = rows_of(6000);
  std::string bytes[2];
  for (std::string& one : bytes) {
    const auto model = ftrl();
    MemoryBlocks blocks(rows, every_row(rows.size()));
    const auto report = fit(*model, blocks.shuffled(5), {.passes = 4});
    ASSERT_TRUE(report.ok());
    EXPECT_EQ(report->losses.size(), 4u);
    EXPECT_LT(report->losses.back(), report->losses.front());
    EXPECT_NEAR(report->losses.back(), 0.5, 0.03);  // entropy of 0.8 is 0.5004
    EXPECT_EQ(report->rows, 6000u);
    EXPECT_EQ(report->progressive.n(), 6000u);
    EXPECT_NEAR(*report->progressive.log_loss(), report->losses.front(), 1e-6);
    EXPECT_EQ(report->best_passes, 4u);
    one = bytes_of(*model);
  }
  EXPECT_EQ(bytes[0], bytes[1]);
}

TEST(Fit, StopsWhenRowsHeldBackAreNoLongerPredictedBetter) {
  const Examples rows = rows_of(500);
  const auto model = ftrl();
  MemoryBlocks blocks(rows, every_row(rows.size()));
  const std::vector<double> said = {0.5, 0.4, 0.45, 0.41, 0.3};
  std::size_t asked = 0;
  FitOptions options{.passes = 5};
  options.validate = [&]() -> Result<double> { return said[asked++]; };
  options.patience = 2;
  const auto report = fit(*model, blocks, options);
  ASSERT_TRUE(report.ok());
  EXPECT_EQ(report->best_passes, 2u);
  EXPECT_EQ(report->losses.size(), 4u);
}

TEST(Fit, ARowWithoutALabelIsCountedAndTeachesNothing) {
  Examples rows = rows_of(100);
  rows.labels[7] = NAN;
  const auto model = ftrl();
  MemoryBlocks blocks(rows, every_row(rows.size()));
  const auto report = fit(*model, blocks, {});
  EXPECT_EQ(report->rows, 99u);
  EXPECT_EQ(report->unlabelled, 1u);
}

TEST(Fit, ALossStillFallingIsSaid) {
  FitReport report;
  report.losses = {0.6, 0.5};
  EXPECT_TRUE(report.is_still_falling());
  report.losses = {0.5, 0.4990};
  EXPECT_FALSE(report.is_still_falling());
  report.losses = {0.5};
  EXPECT_FALSE(report.is_still_falling());
}

TEST(Prefetch, HandsOnBlocksInOrderThenTheEnd) {
  std::size_t made = 0;
  Prefetch prefetch([&](Examples& out) -> Result<bool> {
    out.clear();
    if (made == 50) return false;
    out.labels.push_back(static_cast<float>(made++));
    out.ends.push_back(0);
    return true;
  });
  Examples block;
  for (std::size_t i = 0; i < 50; ++i) {
    ASSERT_TRUE(*prefetch.next(block));
    ASSERT_EQ(block.labels.at(0), static_cast<float>(i));
  }
  EXPECT_FALSE(*prefetch.next(block));
  EXPECT_FALSE(*prefetch.next(block));
}

TEST(Prefetch, ReadsOnlySoFarAheadAndStopsWhenLeft) {
  std::atomic<int> made = 0;
  Examples block;
  {
    Prefetch prefetch([&](Examples& out) -> Result<bool> {
      out.clear();
      out.labels.push_back(0);
      out.ends.push_back(0);
      ++made;
      return true;
    });
    ASSERT_TRUE(*prefetch.next(block));
  }
  EXPECT_LE(made, static_cast<int>(Prefetch::kBlocks) + 1);
}

TEST(Prefetch, GivesWhatWasReadBeforeAnError) {
  int calls = 0;
  Prefetch prefetch([&](Examples& out) -> Result<bool> {
    out.clear();
    if (calls++ == 2) return Error{Code::kCorrupt, "cut off"};
    out.ends.push_back(0);
    return true;
  });
  Examples block;
  EXPECT_TRUE(*prefetch.next(block));
  EXPECT_TRUE(*prefetch.next(block));
  EXPECT_EQ(prefetch.next(block).error().message, "cut off");
  EXPECT_EQ(prefetch.next(block).error().message, "cut off");
}

TEST(InputMap, NumbersFrequentFeaturesAndLeavesOutTheRest) {
  Examples rows = rows_of(100);
  rows.features.push_back({999, 1});  // once
  rows.fields.push_back(1);
  rows.labels.push_back(0);
  rows.ends.push_back(static_cast<std::uint32_t>(rows.features.size()));
  const InputMap map = InputMap::make(rows, 2);
  EXPECT_EQ(map.inputs(), 6u);
  Examples mapped = rows;
  map.apply(mapped);
  EXPECT_EQ(mapped.size(), 101u);
  EXPECT_EQ(mapped.row(100).size(), 0u);
  for (std::size_t row = 0; row < 100; ++row) {
    ASSERT_EQ(mapped.row(row).size(), rows.row(row).size());
    for (const auto place : mapped.fields_of(row)) EXPECT_LT(place, 6u);
  }
  EXPECT_EQ(mapped.fields_of(0)[0], rows.row(0)[0].hash - 10);  // by field, then hash
  std::string bytes, again;
  map.encode(bytes);
  const auto back = InputMap::decode(bytes);
  ASSERT_TRUE(back.ok());
  back->encode(again);
  EXPECT_EQ(bytes, again);
  EXPECT_FALSE(InputMap::decode(bytes + "x").ok());
  EXPECT_FALSE(InputMap::decode(std::string_view(bytes).substr(0, 9)).ok());
}

TEST(Evaluation, RowsOfAGroupHaveAnOrderByNumbersToo) {
  Evaluation evaluation({.is_binary = false});
  evaluation.add(0.5F, 3, "a");
  EXPECT_EQ(find_measure(evaluation.measures(), "mrr")->undefined,
            "no group has rows of different labels");
  evaluation.add(0.7F, 2.5F, "a");
  const auto measures = evaluation.measures();
  EXPECT_EQ(*find_measure(measures, "mrr")->value, 0.5);
  EXPECT_NE(find_measure(measures, "rmse"), nullptr);
  EXPECT_EQ(find_measure(measures, "gauc"), nullptr);
}

TEST(Evaluation, OfScoresTheirOrderAloneCounts) {
  Evaluation evaluation({.is_binary = true, .is_ranking = true});
  evaluation.add(-7, 0, "a");
  evaluation.add(2, 1, "a");
  const auto measures = evaluation.measures();
  EXPECT_EQ(*find_measure(measures, "pairwise_accuracy")->value, 1);
  EXPECT_EQ(find_measure(measures, "auc"), nullptr);
  EXPECT_EQ(evaluation.rows(), 2u);
}

TEST(Evaluation, SlicesAndGroupsAreMeasuredBesideTheWhole) {
  Evaluation evaluation({.is_binary = true, .threshold = 0.5, .known_rate = 0.5});
  for (const auto& [p, label, city] :
       {std::tuple{0.9F, 1.0F, "a"}, {0.2F, 0.0F, "a"}, {0.3F, 1.0F, "a"}, {0.4F, 0.0F, "b"}}) {
    evaluation.add(p, label, city);
    evaluation.add_to_slice(city, p, label);
  }
  evaluation.add(0.5F, NAN);
  EXPECT_EQ(evaluation.rows(), 4u);
  EXPECT_EQ(evaluation.unlabelled(), 1u);
  const auto measures = evaluation.measures();
  EXPECT_EQ(*find_measure(measures, "gauc")->value, 1.0);
  EXPECT_EQ(*find_measure(measures, "recall_at_10")->value, 1.0);
  const auto slices = evaluation.slices();
  ASSERT_EQ(slices.size(), 2u);
  EXPECT_EQ(slices[0].value, "a");
  EXPECT_EQ(slices[0].rows, 3u);
  EXPECT_EQ(find_measure(slices[1].measures, "auc")->undefined,
            "the rows have one class: no label is 1");
}

}  // namespace
}  // namespace attune
