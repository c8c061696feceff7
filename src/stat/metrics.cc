#include "stat/metrics.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <numeric>

#include "base/bytes.h"
#include "base/json.h"
#include "stat/delong.h"
#include "stat/measure.h"

namespace attune {
namespace {

constexpr double kTiny = 1e-15;
constexpr double kZ = 1.96;  // of a 95 % interval

double loss_of(double p, bool label) {
  const double q = std::clamp(p, kTiny, 1 - kTiny);
  return label ? -std::log(q) : -std::log1p(-q);
}

void optional_field(JsonWriter& json, std::string_view name, std::optional<double> value) {
  json.key(name);
  if (value) {
    json.value(*value);
  } else {
    json.null();
  }
}

void interval_field(JsonWriter& json, std::string_view name, std::optional<Interval> interval) {
  json.key(name);
  if (!interval) {
    json.null();
    return;
  }
  json.begin_array().value(interval->low).value(interval->high).end_array();
}

}  // namespace

std::optional<double> auc(std::span<const std::uint8_t> labels, std::span<const double> scores) {
  if (labels.size() != scores.size()) return std::nullopt;
  std::vector<std::size_t> order(labels.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::sort(order.begin(), order.end(),
            [&](std::size_t a, std::size_t b) { return scores[a] < scores[b]; });
  double wins = 0, negatives = 0, positives = 0;
  for (std::size_t i = 0; i < order.size();) {
    double tied_positives = 0, tied_negatives = 0;
    const double score = scores[order[i]];
    do {
      (labels[order[i]] != 0 ? tied_positives : tied_negatives) += 1;
    } while (++i < order.size() && scores[order[i]] == score);
    wins += tied_positives * (negatives + tied_negatives / 2);
    positives += tied_positives;
    negatives += tied_negatives;
  }
  if (positives == 0 || negatives == 0) return std::nullopt;
  return wins / (positives * negatives);
}

std::optional<double> log_loss(std::span<const std::uint8_t> labels,
                               std::span<const double> probabilities) {
  if (labels.empty() || labels.size() != probabilities.size()) return std::nullopt;
  double sum = 0;
  for (std::size_t i = 0; i < labels.size(); ++i) sum += loss_of(probabilities[i], labels[i] != 0);
  return sum / static_cast<double>(labels.size());
}

std::optional<double> calibration(std::span<const std::uint8_t> labels,
                                  std::span<const double> probabilities) {
  if (labels.size() != probabilities.size()) return std::nullopt;
  double expected = 0, happened = 0;
  for (std::size_t i = 0; i < labels.size(); ++i) {
    expected += probabilities[i];
    happened += labels[i] != 0 ? 1 : 0;
  }
  if (happened == 0) return std::nullopt;
  return expected / happened;
}

Interval wilson(double successes, double n, double z) {
  if (!(n > 0)) return {};
  const double rate = std::clamp(successes / n, 0.0, 1.0);
  const double scale = 1 + z * z / n;
  const double centre = (rate + z * z / (2 * n)) / scale;
  const double half = z / scale * std::sqrt(rate * (1 - rate) / n + z * z / (4 * n * n));
  return {std::max(0.0, centre - half), std::min(1.0, centre + half)};
}

std::size_t ProgressiveMetrics::bin_of(double log_p, double log_of_rest) {
  const double place = (log_p - log_of_rest + 16) * (static_cast<double>(kBins) / 32);
  return static_cast<std::size_t>(std::clamp(place, 0.0, kBins - 1.0));
}

void ProgressiveMetrics::add(double p, bool label) {
  if (!(p >= 0 && p <= 1)) return;
  const double q = std::clamp(p, kTiny, 1 - kTiny);
  const double log_p = std::log(q), log_of_rest = std::log1p(-q);
  ++bins_[bin_of(log_p, log_of_rest) + (label ? kBins : 0)];
  ++n_;
  positives_ += label ? 1 : 0;
  sum_p_ += p;
  const double loss = label ? -log_p : -log_of_rest, error = p - (label ? 1 : 0);
  loss_ += loss;
  squared_loss_ += loss * loss;
  squared_error_ += error * error;
}

// As above, in the same order. A label is looked up by, not jumped by: which it is nobody can
// guess.
void ProgressiveMetrics::add(const Scored& rows) {
  double sum_p = sum_p_, loss_sum = loss_, squared_loss = squared_loss_;
  double squared_error = squared_error_;
  std::uint64_t n = n_, positives = positives_;  // not written to memory for each row
  for (std::size_t i = 0; i < rows.p.size(); ++i) {
    if (std::isnan(rows.labels[i])) continue;
    const std::size_t label = rows.labels[i] > 0.5F ? 1 : 0;
    const std::array<double, 2> logs{double{rows.log_of_rest[i]}, double{rows.log_p[i]}};
    const double p = double{rows.p[i]}, loss = -logs[label];
    const double error = p - static_cast<double>(label);
    ++bins_[bin_of(logs[1], logs[0]) + label * kBins];
    ++n;
    positives += label;
    sum_p += p;
    loss_sum += loss;
    squared_loss += loss * loss;
    squared_error += error * error;
  }
  n_ = n;
  positives_ = positives;
  sum_p_ = sum_p;
  loss_ = loss_sum;
  squared_loss_ = squared_loss;
  squared_error_ = squared_error;
}

std::optional<double> ProgressiveMetrics::base_rate() const {
  if (n_ == 0) return std::nullopt;
  return static_cast<double>(positives_) / static_cast<double>(n_);
}

std::optional<double> ProgressiveMetrics::log_loss() const {
  if (n_ == 0) return std::nullopt;
  return loss_ / static_cast<double>(n_);
}

std::optional<double> ProgressiveMetrics::base_log_loss() const {
  const auto rate = base_rate();
  if (!rate) return std::nullopt;
  if (positives_ == 0 || positives_ == n_) return 0;
  return *rate * loss_of(*rate, true) + (1 - *rate) * loss_of(*rate, false);
}

// Calls f(negatives, positives) of every bin, lowest first.
template <class F>
void ProgressiveMetrics::each_bin(const F& f) const {
  for (std::size_t i = 0; i < kBins; ++i) {
    f(static_cast<double>(bins_[i]), static_cast<double>(bins_[i + kBins]));
  }
}

std::optional<double> ProgressiveMetrics::auc() const {
  return tied_auc([this](const auto& f) { each_bin(f); });
}

std::optional<double> ProgressiveMetrics::calibration() const {
  if (positives_ == 0) return std::nullopt;
  return sum_p_ / static_cast<double>(positives_);
}

std::optional<Interval> ProgressiveMetrics::base_rate_interval() const {
  if (n_ == 0) return std::nullopt;
  return wilson(static_cast<double>(positives_), static_cast<double>(n_), kZ);
}

std::optional<Interval> ProgressiveMetrics::log_loss_interval() const {
  auto interval = normal_interval(loss_, squared_loss_, static_cast<double>(n_));
  if (interval) interval->low = std::max(0.0, interval->low);
  return interval;
}

std::optional<Interval> ProgressiveMetrics::auc_interval() const {
  return tied_auc_interval([this](const auto& f) { each_bin(f); });
}

std::optional<Interval> ProgressiveMetrics::calibration_interval() const {
  if (positives_ == 0 || sum_p_ <= 0) return std::nullopt;
  const double ratio = *calibration();
  const double spread = std::exp(kZ * std::sqrt(squared_error_) / static_cast<double>(positives_));
  return Interval{ratio / spread, ratio * spread};
}

std::string ProgressiveMetrics::json() const {
  std::string out;
  JsonWriter json(out);
  json.begin_object().field("n", n_);
  optional_field(json, "base_rate", base_rate());
  interval_field(json, "base_rate_interval", base_rate_interval());
  optional_field(json, "log_loss", log_loss());
  interval_field(json, "log_loss_interval", log_loss_interval());
  optional_field(json, "base_log_loss", base_log_loss());
  optional_field(json, "auc", auc());
  interval_field(json, "auc_interval", auc_interval());
  optional_field(json, "calibration", calibration());
  interval_field(json, "calibration_interval", calibration_interval());
  json.end_object();
  return out;
}

void ProgressiveMetrics::encode(std::string& out) const {
  Writer w(out);
  w.u8(2);
  for (const double sum : {sum_p_, loss_, squared_loss_, squared_error_}) w.f64(sum);
  for (std::size_t i = 0, last = 0; i < bins_.size(); ++i) {
    if (bins_[i] == 0) continue;
    w.varint(i - last + 1);  // 0 ends the list
    w.varint(bins_[i]);
    last = i;
  }
  w.varint(0);
}

Result<ProgressiveMetrics> ProgressiveMetrics::decode(std::string_view bytes) {
  const Error corrupt{Code::kCorrupt, "progressive metrics: not in a form this version reads"};
  Reader r(bytes);
  ProgressiveMetrics m;
  if (r.u8() != 2) return corrupt;
  for (double* sum : {&m.sum_p_, &m.loss_, &m.squared_loss_, &m.squared_error_}) *sum = r.f64();
  std::size_t bin = 0;
  for (std::uint64_t step = r.varint(); step != 0; step = r.varint()) {
    if (step > m.bins_.size() - bin) return corrupt;
    bin += step - 1;
    const std::uint64_t count = r.varint();
    m.bins_[bin] = count;
    m.n_ += count;
    m.positives_ += bin >= kBins ? count : 0;
  }
  const bool is_finite = std::isfinite(m.sum_p_ + m.loss_ + m.squared_loss_ + m.squared_error_);
  if (!r.ok() || !r.done() || !is_finite) return corrupt;
  return m;
}

}  // namespace attune
