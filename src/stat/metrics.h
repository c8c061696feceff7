// Measures of a probability against what happened. Pure; ProgressiveMetrics is one thread's.
#pragma once
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace attune {

// Chance that a random positive scores above a random negative, ties half. nullopt with one class,
// or when the lengths differ.
std::optional<double> auc(std::span<const std::uint8_t> labels, std::span<const double> scores);
// Mean of -ln P(label); probabilities are kept 1e-15 away from 0 and 1. nullopt when empty.
std::optional<double> log_loss(std::span<const std::uint8_t> labels,
                               std::span<const double> probabilities);
// Sum of predictions over sum of labels: 1 is calibrated. nullopt without a positive.
std::optional<double> calibration(std::span<const std::uint8_t> labels,
                                  std::span<const double> probabilities);

struct Interval {
  double low = 0;
  double high = 1;
};
// Wilson score interval of a rate (Wilson 1927); [0, 1] when n = 0.
Interval wilson(double successes, double n, double z = 1.96);

// Measures over a stream in constant memory: each prediction is added before it is learned from.
// AUC is exact up to bins of 1/128 in logit, and anything beyond +-16 is one bin.
class ProgressiveMetrics {
 public:
  ProgressiveMetrics() : bins_(2 * kBins) {}
  void add(double p, bool label);  // a p that is no number in [0, 1] is ignored
  // Many, of p in (0, 1), whose logs are known: log p and log(1 - p). Labels are 0 and 1; those
  // that are no number are passed over.
  struct Scored {
    std::span<const float> p, log_p, log_of_rest, labels;
  };
  void add(const Scored& rows);
  std::uint64_t n() const { return n_; }
  std::uint64_t positives() const { return positives_; }
  std::optional<double> base_rate() const;
  std::optional<double> log_loss() const;
  std::optional<double> base_log_loss() const;  // of always saying the base rate
  std::optional<double> auc() const;
  std::optional<double> calibration() const;
  // 95 % intervals; absent where the value is, or where one class has a single member.
  std::optional<Interval> base_rate_interval() const;  // Wilson 1927
  std::optional<Interval> log_loss_interval() const;   // normal, by the spread of the losses
  std::optional<Interval> auc_interval() const;        // DeLong et al. 1988, over the bins
  // Normal on the log: the spread of the positives is taken from the squared errors.
  std::optional<Interval> calibration_interval() const;
  // {"n","base_rate","base_rate_interval":[low,high],"log_loss",...,"base_log_loss","auc",...,
  // "calibration",...}; null = undefined.
  std::string json() const;
  void encode(std::string& out) const;  // canonical
  static Result<ProgressiveMetrics> decode(std::string_view bytes);

 private:
  static constexpr std::size_t kBins = 4096;
  static std::size_t bin_of(double log_p, double log_of_rest);
  template <class F>
  void each_bin(const F& f) const;
  std::uint64_t n_ = 0, positives_ = 0;
  double sum_p_ = 0, loss_ = 0;
  double squared_loss_ = 0, squared_error_ = 0;
  std::vector<std::uint64_t> bins_;  // negatives, then positives
};

}  // namespace attune
