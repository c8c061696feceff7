#include "stat/sketch.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace attune {
namespace {

TEST(Sketch, HyperLogLogIsWithinThreeStandardErrors) {
  for (const std::uint64_t n : {0u, 1u, 50u, 3000u, 200'000u}) {
    HyperLogLog sketch;
    for (std::uint64_t i = 0; i < n; ++i) {
      sketch.add(Rng(i).next());
      sketch.add(Rng(i).next());  // again: no difference
    }
    const auto truth = static_cast<double>(n);
    EXPECT_NEAR(sketch.count(), truth, 3 * HyperLogLog::kError * truth + 0.1);
  }
}

TEST(Sketch, ReservoirIsASampleOfAll) {
  Reservoir<double> reservoir(4096);
  for (int i = 0; i < 100'000; ++i) reservoir.add(i);
  std::vector<double> sample = reservoir.sample();
  std::sort(sample.begin(), sample.end());
  EXPECT_EQ(sample.size(), 4096u);
  EXPECT_NEAR(sample[2048] / 100'000, 0.5, 4 * 0.008);
}

TEST(Sketch, RepeatsAreExactAndThenEstimated) {
  RepeatCounter exact;
  EXPECT_EQ(exact.add(7, 1), 0u);
  EXPECT_EQ(exact.add(8, 2), 0u);
  EXPECT_EQ(exact.add(7, 3), 1u);
  EXPECT_EQ(exact.repeats(), 1);
  RepeatCounter thin(1000);
  for (std::uint64_t i = 0; i < 40'000; ++i) thin.add(Rng(i % 20'000).next(), i + 1);
  EXPECT_GT(thin.scale(), 1u);
  // About 20,000 / scale of them are kept: 4 standard errors.
  const auto scale = static_cast<double>(thin.scale());
  EXPECT_NEAR(thin.repeats(), 20'000, 4 * std::sqrt(20'000 * scale));
}

}  // namespace
}  // namespace attune
