#include "stat/adwin.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "base/rng.h"

namespace attune {
namespace {

constexpr int kStreams = 60;

// A window checked at each of 10,000 rows: an alarm in at most 2 % of the streams.
TEST(Adwin, SeldomAlarmsWhereNothingChanges) {
  for (const double rate : {0.02, 0.3}) {
    int alarmed = 0;
    for (int stream = 0; stream < kStreams; ++stream) {
      Rng rng(static_cast<std::uint64_t>(stream) + 1);
      Adwin adwin;
      bool has_alarmed = false;
      for (int i = 0; i < 10'000; ++i)
        has_alarmed |= adwin.add(rng.chance(rate) ? 1 : 0).has_value();
      alarmed += has_alarmed;
      EXPECT_TRUE(has_alarmed || adwin.n() > 9999.5);
    }
    EXPECT_LE(alarmed, kStreams * 0.02) << rate;
  }
}

// After 5,000 rows the rate changes. The bound lets a change of .1 be seen when
// .1 > sqrt(2/m .14 ln(2 ln(n) / .002)) + 2/(3m) ln(...), from m = 310 or so on: with 5,000 rows
// before within some 330 rows after; half of that again is chance.
TEST(Adwin, SeesAChangeSoon) {
  int late = 0;
  double delay = 0;
  for (int stream = 0; stream < kStreams; ++stream) {
    Rng rng(static_cast<std::uint64_t>(stream) + 1000);
    Adwin adwin;
    for (int i = 0; i < 5000; ++i) adwin.add(rng.chance(0.1) ? 1 : 0);
    int after = 0;
    std::optional<Adwin::Change> change;
    while (!change && after < 2000) {
      ++after;
      change = adwin.add(rng.chance(0.2) ? 1 : 0);
    }
    ASSERT_TRUE(change.has_value()) << stream;
    EXPECT_NEAR(change->before, 0.1, 0.05);
    EXPECT_GT(change->after, 0.12);
    delay += after / double{kStreams};
    late += after > 900 ? 1 : 0;
  }
  EXPECT_LT(delay, 500);
  EXPECT_LE(late, kStreams * 0.02);
}

TEST(Adwin, ForgetsWhatWasBeforeTheChange) {
  Rng rng(3);
  Adwin adwin;
  for (int i = 0; i < 5000; ++i) adwin.add(rng.chance(0.1) ? 1 : 0);
  for (int i = 0; i < 5000; ++i) adwin.add(rng.chance(0.3) ? 1 : 0);
  EXPECT_LT(adwin.n(), 5200);
  EXPECT_NEAR(adwin.mean(), 0.3, 0.03);
}

// Batches of 50 rows whose rate wanders from batch to batch around the same mean: row by row that
// looks like a change, by batches it is none.
TEST(Adwin, TakesWanderingBatchesForWhatTheyAre) {
  int by_rows = 0, by_batches = 0;
  for (int stream = 0; stream < 50; ++stream) {
    Rng rng(static_cast<std::uint64_t>(stream) + 1);
    Adwin rows, batches;
    bool rows_alarmed = false, batches_alarmed = false;
    for (int batch = 0; batch < 400; ++batch) {
      const double rate = std::clamp(0.3 + 0.25 * rng.normal(), 0.0, 1.0);
      double yes = 0;
      for (int i = 0; i < 50; ++i) {
        const bool is_yes = rng.chance(rate);
        yes += is_yes;
        rows_alarmed |= rows.add(is_yes ? 1 : 0).has_value();
      }
      batches_alarmed |= batches.add(50, yes, yes).has_value();
    }
    by_rows += rows_alarmed;
    by_batches += batches_alarmed;
  }
  EXPECT_GT(by_rows, 40);
  EXPECT_LE(by_batches, 1);
}

TEST(Adwin, BatchesShowAChangeToo) {
  Rng rng(4);
  Adwin adwin;
  int seen_after = 0;
  for (int batch = 0; batch < 200 && seen_after == 0; ++batch) {
    double yes = 0;
    for (int i = 0; i < 50; ++i) yes += rng.chance(batch < 100 ? 0.1 : 0.2);
    if (adwin.add(50, yes, yes)) seen_after = batch - 99;
  }
  EXPECT_GT(seen_after, 0);
  EXPECT_LT(seen_after, 20);
}

TEST(Adwin, SurvivesEncodingAndIgnoresNonsense) {
  Rng rng(5);
  Adwin adwin;
  for (int i = 0; i < 3000; ++i) adwin.add(rng.uniform());
  adwin.add(NAN);
  adwin.add(0, 1, 1);
  EXPECT_NEAR(adwin.n(), 3000, 1e-6);
  std::string bytes, again;
  adwin.encode(bytes);
  EXPECT_LT(bytes.size(), 4000u);
  auto back = Adwin::decode(bytes, {});
  ASSERT_TRUE(back.ok());
  for (int i = 0; i < 3000; ++i) {
    const double x = 0.3 + rng.uniform();
    EXPECT_EQ(back->add(x).has_value(), adwin.add(x).has_value());
  }
  bytes.clear();
  adwin.encode(bytes);
  back->encode(again);
  EXPECT_EQ(bytes, again);
  EXPECT_FALSE(Adwin::decode(bytes.substr(1), {}).ok());
  EXPECT_FALSE(Adwin::decode(bytes + "x", {}).ok());
}

}  // namespace
}  // namespace attune
