#include "stat/measure.h"

#include <gtest/gtest.h>

#include <cmath>

#include "base/json.h"
#include "base/rng.h"
#include "stat/binary_scores.h"
#include "stat/group_scores.h"
#include "stat/value_scores.h"

namespace attune {
namespace {

double value(std::span<const Measure> measures, std::string_view name) {
  const Measure* measure = find_measure(measures, name);
  return measure != nullptr ? measure->value.value_or(NAN) : NAN;
}

std::string json_of(std::span<const Measure> measures) {
  std::string out;
  JsonWriter json(out);
  json.begin_object();
  write_measures(json, measures);
  json.end_object();
  return out;
}

TEST(BinaryScores, CountsAsByHand) {
  BinaryScores scores({.threshold = 0.5, .known_rate = 0.25});
  for (const auto& [p, label] : {std::pair{0.9F, true},
                                 {0.8F, false},
                                 {0.5F, true},
                                 {0.3F, true},
                                 {0.2F, false},
                                 {0.1F, false},
                                 {0.1F, false},
                                 {-0.0F, false}}) {
    scores.add(p, label);
  }
  const auto measures = scores.measures();
  EXPECT_DOUBLE_EQ(value(measures, "base_rate"), 3.0 / 8);
  EXPECT_DOUBLE_EQ(value(measures, "accuracy"), 6.0 / 8);
  EXPECT_DOUBLE_EQ(value(measures, "precision"), 2.0 / 3);
  EXPECT_DOUBLE_EQ(value(measures, "recall"), 2.0 / 3);
  EXPECT_DOUBLE_EQ(value(measures, "f1"), 2.0 / 3);
  EXPECT_DOUBLE_EQ(value(measures, "auc"), 13.0 / 15);  // the 0.8 is above two positives of three
  EXPECT_NEAR(value(measures, "calibration"), 2.9 / 3, 1e-6);
  EXPECT_DOUBLE_EQ(*find_measure(measures, "accuracy")->baseline, 5.0 / 8);
  EXPECT_NEAR(*find_measure(measures, "log_loss")->baseline,
              -(3 * std::log(0.25) + 5 * std::log(0.75)) / 8, 1e-12);
}

TEST(BinaryScores, AgreeWithThePlainMeasures) {
  Rng rng(4);
  BinaryScores scores;
  ProgressiveMetrics progressive;
  std::vector<std::uint8_t> labels;
  std::vector<double> p;
  for (int i = 0; i < 3000; ++i) {
    const auto one = static_cast<float>(1 / (1 + std::exp(-2 * rng.normal())));
    labels.push_back(rng.chance(one) ? 1 : 0);
    p.push_back(one);
    scores.add(one, labels.back() != 0);
    progressive.add(one, labels.back() != 0);
  }
  const auto measures = scores.measures();
  EXPECT_NEAR(value(measures, "auc"), *auc(labels, p), 1e-12);
  EXPECT_NEAR(value(measures, "log_loss"), *log_loss(labels, p), 1e-12);
  EXPECT_NEAR(find_measure(measures, "auc")->interval->low, progressive.auc_interval()->low, 1e-3);
  EXPECT_NEAR(find_measure(measures, "log_loss")->interval->low,
              progressive.log_loss_interval()->low, 1e-12);
}

TEST(BinaryScores, SayWhyAMeasureIsNotDefined) {
  BinaryScores none, negative, silent;
  EXPECT_EQ(find_measure(none.measures(), "auc")->undefined, "no rows");
  negative.add(0.4F, false);
  negative.add(NAN, true);
  EXPECT_EQ(negative.unscored(), 1u);
  const auto measures = negative.measures();
  EXPECT_EQ(find_measure(measures, "auc")->undefined, "the rows have one class: no label is 1");
  EXPECT_EQ(find_measure(measures, "precision")->undefined, "no prediction reaches the threshold");
  EXPECT_NE(json_of(measures).find(R"("auc":null,"auc_undefined":"the rows have one class)"),
            std::string::npos);
  EXPECT_EQ(json_of(measures).find("nan"), std::string::npos);
  silent.add(0.4F, true);
  silent.add(0.4F, false);
  EXPECT_EQ(value(silent.measures(), "auc"), 0.5);
}

TEST(BinaryScores, APerfectOrderStillHasAnInterval) {
  BinaryScores scores;
  for (int i = 0; i < 10; ++i) scores.add(i < 5 ? 0.2F : 0.7F, i >= 5);
  const Interval interval = *find_measure(scores.measures(), "auc")->interval;
  EXPECT_EQ(interval.high, 1);
  EXPECT_LT(interval.low, 0.7);  // five of a class do not prove much
}

// 400 samples of 400: an interval of 95 % that held in fewer than 91.7 % of them would be 3
// standard errors short. Truths by integration of the same distributions.
TEST(Measures, IntervalsHoldTheTruthAboutAsOftenAsTheySay) {
  constexpr int kSamples = 400;
  int f1 = 0, r2 = 0, rmse = 0;
  const auto holds = [](const Measure* measure, double truth) {
    return measure->interval->low <= truth && truth <= measure->interval->high ? 1 : 0;
  };
  for (int sample = 0; sample < kSamples; ++sample) {
    Rng rng(static_cast<std::uint64_t>(sample) + 1);
    BinaryScores binary;
    ValueScores values;
    for (int i = 0; i < 400; ++i) {
      const double p = rng.uniform();  // says yes from 0.5 on: TP 3/8, FP 1/8, FN 1/8
      binary.add(static_cast<float>(p), rng.chance(p));
      const double x = rng.normal();
      values.add(static_cast<float>(x), static_cast<float>(x + 0.5 * rng.normal()));
    }
    f1 += holds(find_measure(binary.measures(), "f1"), 0.75);
    const auto measures = values.measures();
    r2 += holds(find_measure(measures, "r2"), 1 - 0.25 / 1.25);
    rmse += holds(find_measure(measures, "rmse"), 0.5);
  }
  for (const int held : {f1, r2, rmse}) EXPECT_GE(held, 367);
}

TEST(ValueScores, MeasureAsByHand) {
  ValueScores scores(2.0);
  scores.add(1, 2);
  scores.add(5, 4);
  scores.add(NAN, 4);
  scores.add(9, 9);
  EXPECT_EQ(scores.unscored(), 1u);
  const auto measures = scores.measures();
  EXPECT_DOUBLE_EQ(value(measures, "mean"), 5);
  EXPECT_DOUBLE_EQ(value(measures, "rmse"), std::sqrt(2.0 / 3));
  EXPECT_DOUBLE_EQ(value(measures, "mae"), 2.0 / 3);
  EXPECT_DOUBLE_EQ(value(measures, "r2"), 1 - 2.0 / 26);
  EXPECT_DOUBLE_EQ(*find_measure(measures, "mae")->baseline, 3);
  ValueScores flat;
  flat.add(1, 3);
  flat.add(2, 3);
  EXPECT_EQ(find_measure(flat.measures(), "r2")->undefined, "the true values do not vary");
  EXPECT_EQ(find_measure(ValueScores().measures(), "rmse")->undefined, "no rows");
}

// p falls with the number in the list.
GroupScores groups_of(std::initializer_list<std::vector<int>> lists) {
  GroupScores groups;
  int group = 0;
  for (const std::vector<int>& labels : lists) {
    float p = 1;
    for (const int label : labels) groups.add(std::to_string(group), p *= 0.9F, label == 1);
    ++group;
  }
  return groups;
}

TEST(GroupScores, GaucWeighsGroupsWithBothClassesByTheirRows) {
  // 1 over 2 rows, 1/4 over 4
  const GroupScores groups = groups_of({{1, 0}, {0, 1, 0, 1}, {1}});
  const Measure gauc = groups.measures(10)[0];
  EXPECT_EQ(gauc.name, "gauc");
  EXPECT_DOUBLE_EQ(*gauc.value, (2 * 1 + 4 * 0.25) / 6);
  EXPECT_EQ(groups.groups(), 3u);
  EXPECT_EQ(groups_of({{1}}).measures(10)[0].undefined, "no group has rows of both classes");
}

TEST(GroupScores, TheFirstKRowsOfAGroupAreItsList) {
  const double second = 1 / std::log2(3.0);
  const auto measures = groups_of({{1, 0, 1}, {0, 1, 0}, {0, 0}}).measures(2);
  const Measure& ndcg = *find_measure(measures, "ndcg_at_2");
  EXPECT_DOUBLE_EQ(*ndcg.value, (1 / (1 + second) + second) / 2);  // the third has nothing to find
  EXPECT_DOUBLE_EQ(*ndcg.baseline, (2. / 3 + 1. / 3 * (1 + second)) / 2);
  EXPECT_TRUE(ndcg.interval && ndcg.interval->low < *ndcg.value);
  EXPECT_DOUBLE_EQ(*find_measure(measures, "recall_at_2")->value, (0.5 + 1) / 2);
  EXPECT_DOUBLE_EQ(*find_measure(measures, "precision_at_2")->value, 0.5);
  EXPECT_DOUBLE_EQ(*find_measure(measures, "precision_at_2")->baseline, 0.5);
}

TEST(GroupScores, TheBaselineIsWhatRandomOrdersHave) {
  GroupScores random;
  Rng rng(3);
  for (int group = 0; group < 4000; ++group) {
    for (int row = 0; row < 7; ++row) {
      random.add(std::to_string(group), static_cast<float>(rng.uniform()), row < 2);
    }
  }
  for (const Measure& measure : random.measures(3)) {
    EXPECT_LE(measure.interval->low, *measure.baseline) << measure.name;
    EXPECT_GE(measure.interval->high, *measure.baseline) << measure.name;
  }
}

TEST(GroupScores, TiesCountAgainstTheRanker) {
  GroupScores groups;
  for (const bool label : {true, false, false}) groups.add("a", 0.5F, label);
  EXPECT_EQ(*find_measure(groups.measures(1), "ndcg_at_1")->value, 0);
}

TEST(GroupScores, WithoutAHitInAnyGroupNothingIsDefined) {
  for (const Measure& measure : groups_of({{0, 0}, {0}}).measures(5)) {
    EXPECT_FALSE(measure.value) << measure.name;
    EXPECT_NE(measure.undefined, "") << measure.name;
  }
}

}  // namespace
}  // namespace attune
