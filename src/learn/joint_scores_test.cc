#include "learn/joint_scores.h"

#include <gtest/gtest.h>

#include <cmath>

namespace attune {
namespace {

ModelOptions two_tasks() {
  ModelOptions options;
  options.kind = "fwfm";
  options.bits = 8;
  options.inputs = 1;
  options.tasks = {{"click", 1}, {"purchase", 3}};
  options.second_loss = {"pairs", 0.5};
  return options;
}

TEST(JointScores, EachHeadCountsTheRowsWhoseLabelIsKnown) {
  JointScores scores(two_tasks(), {0.5, 0.5});
  scores.add(std::vector<float>{0.8F, 0.4F, 0.3F, 0.2F, 0.6F, 0.9F},
             std::vector<float>{1, NAN, 0, 0, 1, 1});
  const JointReport report = scores.report({});
  ASSERT_EQ(report.heads.size(), 2U);
  EXPECT_EQ(report.heads[0].rows, 3U);
  EXPECT_EQ(report.heads[0].unlabelled, 0U);
  EXPECT_EQ(report.heads[1].target, "purchase");
  EXPECT_EQ(report.heads[1].rows, 2U);
  EXPECT_EQ(report.heads[1].unlabelled, 1U);
  EXPECT_FALSE(report.heads[0].alone.has_value());
  const double click = -(std::log(0.8) + std::log(0.7) + std::log(0.6)) / 3;
  const double purchase = -(std::log(0.8) + std::log(0.9)) / 2;
  EXPECT_NEAR(report.tested.tasks[0].mean(), click, 1e-6);
  EXPECT_NEAR(report.tested.tasks[1].mean(), purchase, 1e-6);
  EXPECT_NEAR(report.tested.total(), click + 3 * purchase + 0.5 * report.tested.second->mean(),
              1e-6);
}

TEST(JointScores, AHeadIsComparedWithAModelAloneOnTheRowsItHasALabelIn) {
  JointScores scores(two_tasks(), {0.5, 0.5});
  const std::vector<float> predicted{0.8F, 0.4F, 0.3F, 0.2F, 0.6F, 0.9F},
      labels{1, NAN, 0, 0, 1, 1};
  scores.add(predicted, labels);
  scores.add_alone(1, std::vector<float>{0.5F, 0.5F, 0.5F}, predicted, labels);
  const JointReport report = scores.report({});
  ASSERT_TRUE(report.heads[1].alone.has_value());
  EXPECT_NEAR(*report.heads[1].alone->difference,
              -(std::log(0.8) + std::log(0.9)) / 2 - std::log(2), 1e-6);
  EXPECT_FALSE(report.heads[0].alone.has_value());
}

TEST(JointScores, TheJointLossOfRowsIsThatOfTheirPredictions) {
  const auto model = std::move(make_model(two_tasks())).value();
  Examples rows;
  for (std::uint32_t r = 0; r < 300; ++r) {
    rows.features.push_back({r % 7, 1});
    rows.fields.push_back(0);
    rows.ends.push_back(r + 1);
    rows.labels.push_back(r % 2 == 0 ? 1.0F : 0.0F);
    rows.further_labels.push_back(r % 3 == 0 ? NAN : 1.0F);
  }
  MemoryBlocks blocks(rows, every_row(rows.size()));
  const auto loss = mean_joint_loss(*model, blocks);
  ASSERT_TRUE(loss.ok());
  // It knows nothing yet and says 1/2: log 2 for each task, and for each pair of clicks.
  EXPECT_NEAR(loss.value(), (1 + 3 + 0.5) * std::log(2), 1e-5);
}

}  // namespace
}  // namespace attune
