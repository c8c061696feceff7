#include "learn/drift_watch.h"

#include <gtest/gtest.h>

#include <cmath>

#include "base/rng.h"

namespace attune {
namespace {

Time at_s(double s) { return time_from_us(1'800'000'000'000'000) + seconds(s); }

constexpr double kWindowS = 1800;

// Decisions every second of 5 items, each with a chance of its own that the learner knows; what
// really happens is `truth` of it. Clicks are known 10 seconds later, the rest when the window
// ends, as the live learner is told.
struct Stream {
  explicit Stream(std::uint64_t seed) : rng(seed) {}
  template <class Truth>
  void run(DriftWatch& watch, int from_s, int to_s, const Truth& truth) {
    for (int s = from_s; s < to_s; ++s) {
      for (int item = 0; item < 5; ++item) {
        const double p = 0.02 + 0.16 * rng.uniform();
        if (rng.chance(truth(s, p))) {
          watch.add(at_s(s + kWindowS), p, true);
        } else {
          later.emplace_back(s + kWindowS, p);
        }
      }
      std::size_t due = 0;
      for (; due < later.size() && later[due].first < s; ++due) {
        watch.add(at_s(later[due].first), later[due].second, false);
      }
      later.erase(later.begin(), later.begin() + static_cast<std::ptrdiff_t>(due));
      if (s % 10 == 0) watch.close(at_s(s));
    }
  }
  Rng rng;
  std::vector<std::pair<double, double>> later;
};

double as_said(int, double p) { return p; }

// 10 streams of 6 hours, about 100,000 outcomes each.
TEST(DriftWatch, ClicksThatComeFirstAreNoDrift) {
  std::uint64_t alarms = 0;
  for (std::uint64_t seed = 1; seed <= 10; ++seed) {
    DriftWatch watch;
    Stream(seed).run(watch, 0, 6 * 3600, as_said);
    alarms += watch.alarms();
    EXPECT_GT(watch.rows(), 90'000u);
    EXPECT_NEAR(watch.bias(), 0, 0.01);
  }
  EXPECT_LE(alarms, 1u);
}

// Half of the clicks stay away from hour 6 on: seen within the hour after their windows ended.
TEST(DriftWatch, SeesClicksStayAway) {
  for (std::uint64_t seed = 1; seed <= 5; ++seed) {
    DriftWatch watch;
    Stream(seed).run(watch, 0, 9 * 3600, [](int s, double p) { return s < 6 * 3600 ? p : p / 2; });
    ASSERT_GE(watch.alarms(), 1u) << seed;
    const DriftAlarm& alarm = *watch.last();
    EXPECT_GT(alarm.at, at_s(6 * 3600 + kWindowS));
    EXPECT_LT(alarm.at, at_s(7 * 3600 + kWindowS)) << seed;
    EXPECT_EQ(alarm.what, DriftAlarm::What::kBias);
    EXPECT_GT(alarm.after, alarm.before);
    EXPECT_NE(drift_words(alarm).find("predictions less clicks went from"), std::string::npos);
  }
}

// What was likely becomes unlikely and the other way round: as many clicks, but of other items.
TEST(DriftWatch, SeesTastesTurn) {
  DriftWatch watch;
  Stream(1).run(watch, 0, 12 * 3600, [](int s, double p) { return s < 6 * 3600 ? p : 0.2 - p; });
  ASSERT_GE(watch.alarms(), 1u);
  EXPECT_EQ(watch.last()->what, DriftAlarm::What::kSurprise);
}

TEST(DriftWatch, GettingBetterIsNoAlarm) {
  DriftWatch watch;
  Stream(2).run(watch, 0, 9 * 3600, [](int s, double p) { return s < 4 * 3600 ? p / 3 : p; });
  EXPECT_EQ(watch.alarms(), 0u);
  EXPECT_NEAR(watch.bias(), 0, 0.01);  // the bad time is forgotten
}

TEST(DriftWatch, ContinuesAfterEncodingAsIfNothingWas) {
  const auto halved = [](int s, double p) { return s < 2 * 3600 ? p : p / 2; };
  DriftWatch watch;
  Stream stream(3);
  stream.run(watch, 0, 2 * 3600, halved);
  std::string bytes, again;
  watch.encode(bytes);
  auto back = DriftWatch::decode(bytes);
  ASSERT_TRUE(back.ok());
  Stream same = stream;
  stream.run(watch, 2 * 3600, 4 * 3600, halved);
  same.run(*back, 2 * 3600, 4 * 3600, halved);
  EXPECT_GE(watch.alarms(), 1u);
  bytes.clear();
  watch.encode(bytes);
  back->encode(again);
  EXPECT_EQ(bytes, again);
  for (std::size_t cut = 0; cut < bytes.size(); cut += 7) {
    EXPECT_FALSE(DriftWatch::decode(std::string_view(bytes).substr(0, cut)).ok());
  }
}

}  // namespace
}  // namespace attune
