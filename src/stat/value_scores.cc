#include "stat/value_scores.h"

#include <algorithm>
#include <cmath>

namespace attune {
namespace {

struct Sums {
  double n = 0, truth = 0, squared_truth = 0, error = 0, squared = 0, fourth = 0;
  double spread = 0;                // sum of (truth - mean)^2
  double off = 0, off_squared = 0;  // of a guess: absolute, squared
};

Measure undefined(std::string name, std::string why) {
  return {.name = std::move(name), .undefined = std::move(why)};
}

Measure mean_of(const Sums& s) {
  return {.name = "mean",
          .value = s.truth / s.n,
          .interval = normal_interval(s.truth, s.squared_truth, s.n),
          .method = "normal"};
}

Measure rmse(const Sums& s) {
  auto interval = normal_interval(s.squared, s.fourth, s.n);
  if (interval) {
    *interval = {std::sqrt(std::max(0.0, interval->low)), std::sqrt(interval->high)};
  }
  return {.name = "rmse",
          .value = std::sqrt(s.squared / s.n),
          .interval = interval,
          .method = "normal",
          .baseline = std::sqrt(s.off_squared / s.n),
          .compared_with = "always the mean"};
}

Measure mae(const Sums& s) {
  auto interval = normal_interval(s.error, s.squared, s.n);
  if (interval) interval->low = std::max(0.0, interval->low);
  return {.name = "mae",
          .value = s.error / s.n,
          .interval = interval,
          .method = "normal",
          .baseline = s.off / s.n,
          .compared_with = "always the mean"};
}

}  // namespace

void ValueScores::add(float predicted, float truth) {
  if (std::isfinite(predicted) && std::isfinite(truth)) {
    pairs_.push_back({predicted, truth});
  } else {
    ++unscored_;
  }
}

double ValueScores::mean_squared_error() const {
  double sum = 0;
  for (const auto& [predicted, truth] : pairs_) {
    const double error = static_cast<double>(predicted) - static_cast<double>(truth);
    sum += error * error;
  }
  return pairs_.empty() ? 0 : sum / static_cast<double>(pairs_.size());
}

std::vector<Measure> ValueScores::measures() const {
  if (pairs_.empty()) {
    return {undefined("mean", "no rows"), undefined("rmse", "no rows"), undefined("mae", "no rows"),
            undefined("r2", "no rows")};
  }
  Sums s{.n = static_cast<double>(pairs_.size())};
  for (const Pair& pair : pairs_) s.truth += static_cast<double>(pair.truth);
  const double mean = s.truth / s.n, guess = known_mean_.value_or(mean);
  for (const Pair& pair : pairs_) {
    const double truth = pair.truth, error = static_cast<double>(pair.predicted) - truth;
    s.squared_truth += truth * truth;
    s.error += std::fabs(error);
    s.squared += error * error;
    s.fourth += error * error * error * error;
    s.spread += (truth - mean) * (truth - mean);
    s.off += std::fabs(truth - guess);
    s.off_squared += (truth - guess) * (truth - guess);
  }
  if (!(s.spread > 0)) {
    return {mean_of(s), rmse(s), mae(s), undefined("r2", "the true values do not vary")};
  }
  const double lost = s.squared / s.spread;  // 1 - R2
  double residual = 0, residual_squared = 0;
  for (const Pair& pair : pairs_) {
    const double truth = pair.truth, error = static_cast<double>(pair.predicted) - truth;
    const double r = (error * error - lost * (truth - mean) * (truth - mean)) / (s.spread / s.n);
    residual += r;
    residual_squared += r * r;
  }
  const auto about = normal_interval(residual, residual_squared, s.n);
  Measure r2{.name = "r2", .value = 1 - lost, .method = "normal"};
  if (about) r2.interval = Interval{1 - lost + about->low, 1 - lost + about->high};
  r2.baseline = 1 - s.off_squared / s.spread;
  r2.compared_with = "always the mean";
  return {mean_of(s), rmse(s), mae(s), r2};
}

}  // namespace attune
