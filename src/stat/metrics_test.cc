#include "stat/metrics.h"

#include <gtest/gtest.h>

#include <cmath>

#include "base/rng.h"

namespace attune {
namespace {

using Labels = std::vector<std::uint8_t>;
using Scores = std::vector<double>;

TEST(Metrics, AucCountsTiesHalfAndNeedsTwoClasses) {
  EXPECT_DOUBLE_EQ(*auc(Labels{0, 0, 1, 1}, Scores{.1, .2, .3, .4}), 1.0);
  EXPECT_DOUBLE_EQ(*auc(Labels{0, 1}, Scores{.5, .5}), 0.5);
  EXPECT_DOUBLE_EQ(*auc(Labels{0, 1, 0, 1}, Scores{.1, .4, .4, .9}), 0.875);
  EXPECT_FALSE(auc(Labels{1, 1}, Scores{.1, .2}));
  EXPECT_FALSE(auc(Labels{}, Scores{}));
}

TEST(Metrics, LogLossAndCalibration) {
  EXPECT_NEAR(*log_loss(Labels{1, 0}, Scores{.8, .4}), -(std::log(.8) + std::log(.6)) / 2, 1e-12);
  EXPECT_TRUE(std::isfinite(*log_loss(Labels{1}, Scores{0})));
  EXPECT_DOUBLE_EQ(*calibration(Labels{1, 0}, Scores{.5, .25}), 0.75);
  EXPECT_FALSE(calibration(Labels{0}, Scores{.5}));
}

TEST(Metrics, WilsonOfKnownRates) {
  const Interval i = wilson(10, 100);
  EXPECT_NEAR(i.low, 0.0552, 1e-4);
  EXPECT_NEAR(i.high, 0.1744, 1e-4);
  EXPECT_EQ(wilson(0, 0).low, 0);
  EXPECT_EQ(wilson(0, 0).high, 1);
  EXPECT_EQ(wilson(0, 10).low, 0);
}

TEST(ProgressiveMetrics, AgreesWithTheWholeAndSurvivesEncoding) {
  Rng rng(1);
  Labels labels;
  Scores scores;
  ProgressiveMetrics m;
  for (int i = 0; i < 5000; ++i) {
    scores.push_back(1 / (1 + std::exp(-2 * rng.normal())));
    labels.push_back(rng.chance(scores.back()) ? 1 : 0);
    m.add(scores.back(), labels.back() != 0);
  }
  m.add(NAN, true);
  EXPECT_EQ(m.n(), 5000u);
  EXPECT_NEAR(*m.auc(), *auc(labels, scores), 1e-3);
  EXPECT_NEAR(*m.log_loss(), *log_loss(labels, scores), 1e-9);
  EXPECT_NEAR(*m.calibration(), *calibration(labels, scores), 1e-9);
  EXPECT_LT(*m.log_loss(), *m.base_log_loss());
  std::string bytes, again;
  m.encode(bytes);
  const auto back = ProgressiveMetrics::decode(bytes);
  ASSERT_TRUE(back.ok());
  back->encode(again);
  EXPECT_EQ(bytes, again);
  EXPECT_EQ(back->json(), m.json());
  for (std::size_t n = 0; n < bytes.size(); n += 97) {
    EXPECT_FALSE(ProgressiveMetrics::decode(std::string_view(bytes).substr(0, n)).ok());
  }
  EXPECT_NE(ProgressiveMetrics().json().find("\"auc\":null"), std::string::npos);
}

TEST(ProgressiveMetrics, ManyWithTheirLogsCountAsTheyDoOneByOne) {
  Rng rng(2);
  std::vector<float> p, log_p, log_of_rest, labels;
  ProgressiveMetrics one_by_one, many;
  for (int i = 0; i < 1000; ++i) {
    p.push_back(static_cast<float>(1 / (1 + std::exp(-2 * rng.normal()))));
    log_p.push_back(std::log(p.back()));
    log_of_rest.push_back(std::log1p(-p.back()));
    labels.push_back(i % 10 == 0 ? NAN : rng.chance(double{p.back()}) ? 1.0F : 0.0F);
    if (i % 10 != 0) one_by_one.add(double{p.back()}, labels.back() != 0);
  }
  for (const std::size_t begin : {std::size_t{0}, std::size_t{400}}) {
    const auto part = [&](const std::vector<float>& of) {
      return std::span(of).subspan(begin, begin == 0 ? 400 : 600);
    };
    many.add({part(p), part(log_p), part(log_of_rest), part(labels)});
  }
  EXPECT_EQ(many.n(), 900u);
  EXPECT_EQ(many.positives(), one_by_one.positives());
  EXPECT_NEAR(*many.log_loss(), *one_by_one.log_loss(), 1e-6);
  EXPECT_NEAR(*many.auc(), *one_by_one.auc(), 1e-4);
  EXPECT_NEAR(*many.calibration(), *one_by_one.calibration(), 1e-12);
  EXPECT_NEAR(many.log_loss_interval()->low, one_by_one.log_loss_interval()->low, 1e-6);
  EXPECT_NEAR(many.calibration_interval()->low, one_by_one.calibration_interval()->low, 1e-9);
}

// 400 streams of 500: an interval of 95 % that held in fewer than 91.7 % of them would be 3
// standard errors short.
TEST(ProgressiveMetrics, IntervalsHoldTheTruthAboutAsOftenAsTheySay) {
  constexpr int kStreams = 400;
  constexpr double kMean = 0.3, kAuc = 0.65873, kEntropy = 0.57790;  // of p uniform in [0.1, 0.5]
  int rate = 0, loss = 0, ratio = 0, order = 0;
  const auto holds = [](const std::optional<Interval>& interval, double truth) {
    return interval->low <= truth && truth <= interval->high ? 1 : 0;
  };
  for (int stream = 0; stream < kStreams; ++stream) {
    Rng rng(static_cast<std::uint64_t>(stream) + 1);
    ProgressiveMetrics m;
    for (int i = 0; i < 500; ++i) {
      const double p = 0.1 + 0.4 * rng.uniform();
      m.add(p, rng.chance(p));
    }
    rate += holds(m.base_rate_interval(), kMean);
    loss += holds(m.log_loss_interval(), kEntropy);
    ratio += holds(m.calibration_interval(), 1);
    order += holds(m.auc_interval(), kAuc);
  }
  for (const int held : {rate, loss, ratio, order}) EXPECT_GE(held, 367);
}

TEST(ProgressiveMetrics, IntervalsAreAbsentWithoutEnoughOfEachClass) {
  ProgressiveMetrics m;
  EXPECT_FALSE(m.base_rate_interval() || m.log_loss_interval() || m.auc_interval());
  m.add(0.4, false);
  m.add(0.5, false);
  m.add(0.6, true);
  EXPECT_TRUE(m.base_rate_interval() && m.log_loss_interval() && m.calibration_interval());
  EXPECT_FALSE(m.auc_interval());
  EXPECT_NE(m.json().find("\"auc_interval\":null"), std::string::npos);
}

}  // namespace
}  // namespace attune
