#include "cli/training_curve.h"

#include <gtest/gtest.h>

#include <cmath>

#include "cli/plot.h"
#include "cli/train_screen.h"

namespace attune {
namespace {

TEST(TrainingCurve, CountsRowsOverPassesAndThinsOut) {
  TrainingCurve curve;
  std::uint64_t added = 0;
  for (std::size_t pass = 0; pass < 10; ++pass) {
    for (std::uint64_t rows = 100; rows <= 50'000; rows += 100) {
      ++added;
      curve.add("fm",
                {.pass = pass, .passes = 10, .rows = rows, .recent_loss = 1.0 / double(added)});
    }
  }
  curve.add("reading", {.share = 0.5});
  ASSERT_EQ(curve.stages().size(), 1u);
  const auto& points = curve.stages().at("fm");
  EXPECT_LT(points.size(), TrainingCurve::kMostPoints);
  EXPECT_GE(points.size(), TrainingCurve::kMostPoints / 2);
  EXPECT_EQ(points.front().rows, 100u);
  EXPECT_GT(points.back().rows, 495'000u);
  for (std::size_t i = 1; i < points.size(); ++i) {
    EXPECT_EQ(points[i].rows - points[i - 1].rows, points[1].rows - points[0].rows);
    EXPECT_LT(points[i].loss, points[i - 1].loss);
  }
  const auto few = curve.losses("fm", 20);
  ASSERT_EQ(few.size(), 20u);
  EXPECT_EQ(few.back(), points.back().loss);
  EXPECT_TRUE(curve.losses("mlp", 20).empty());
}

TEST(Plot, ColumnsReachFromLowToHigh) {
  const std::vector<double> values = {0, 1, 0.5, NAN};
  EXPECT_EQ(columns_plot(values, 0, 1, 2), (std::vector<std::string>{" █  ", "▁██ "}));
  EXPECT_EQ(columns_plot(std::vector<double>{3, 3}, 3, 3, 1), (std::vector<std::string>{"██"}));
}

TEST(TrainScreen, NamesTheHighestAndTheLowestLoss) {
  EXPECT_TRUE(curve_lines({0.5}).empty());
  const auto lines = curve_lines({0.7, 0.6, 0.5});
  ASSERT_EQ(lines.size(), 4u);
  EXPECT_TRUE(lines.front().starts_with("  0.7000 █"));
  EXPECT_TRUE(lines.back().starts_with("  0.5000 ██▁"));
}

}  // namespace
}  // namespace attune
