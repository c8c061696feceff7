#include "stat/paired_loss.h"

#include <gtest/gtest.h>

#include <cmath>

#include "base/rng.h"

namespace attune {
namespace {

TEST(PairedLoss, OfTwoRowsByHand) {
  PairedLoss losses;
  EXPECT_FALSE(losses.difference());
  losses.add(0.8, 0.5, true);
  losses.add(0.4, 0.5, false);
  const double own = -(std::log(0.8) + std::log(0.6)) / 2, other = -std::log(0.5);
  EXPECT_NEAR(*losses.log_loss(), own, 1e-12);
  EXPECT_NEAR(*losses.other_log_loss(), other, 1e-12);
  EXPECT_NEAR(*losses.difference(), own - other, 1e-12);
}

TEST(PairedLoss, IgnoresWhatIsNoProbability) {
  PairedLoss losses;
  losses.add(std::nan(""), 0.5, true);
  losses.add(0.5, 1.5, true);
  EXPECT_EQ(losses.n(), 0u);
}

// Labels drawn by 0.3: whoever says 0.3 is better than who says 0.5, and not than who says the same
// with as much noise.
TEST(PairedLoss, TellsTruthFromChance) {
  PairedLoss clear, none;
  Rng rng(1);
  for (int i = 0; i < 20'000; ++i) {
    const bool label = rng.uniform() < 0.3;
    clear.add(0.3, 0.5, label);
    none.add(0.3 + 0.02 * (rng.uniform() - 0.5), 0.3 + 0.02 * (rng.uniform() - 0.5), label);
  }
  EXPECT_EQ(clear.verdict(), PairedLoss::Verdict::kBetter);
  EXPECT_EQ(none.verdict(), PairedLoss::Verdict::kNoClearDifference);
}

TEST(PairedLoss, IsWorseTheOtherWayRound) {
  PairedLoss losses;
  Rng rng(2);
  for (int i = 0; i < 20'000; ++i) losses.add(0.5, 0.3, rng.uniform() < 0.3);
  EXPECT_EQ(losses.verdict(), PairedLoss::Verdict::kWorse);
}

}  // namespace
}  // namespace attune
