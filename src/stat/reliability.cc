#include "stat/reliability.h"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "base/json.h"
#include "stat/calibration.h"
#include "stat/measure.h"

namespace attune {
namespace {

constexpr double kWidest = 16;  // logit

double of(std::uint64_t count) { return static_cast<double>(count); }

void write_optional(JsonWriter& json, std::string_view name, const std::optional<double>& value) {
  json.key(name);
  value ? json.value(*value) : json.null();
}

}  // namespace

void Reliability::add(double p, bool label) {
  if (!(p >= 0 && p <= 1)) return;
  if (cells_.empty()) cells_.resize(kCells);
  const double place = (logit_of(p) + kWidest) / (2 * kWidest) * double{kCells};
  Cell& cell = cells_[static_cast<std::size_t>(std::clamp(place, 0.0, double{kCells} - 1))];
  ++cell.rows;
  cell.positives += label ? 1 : 0;
  cell.predicted += p;
  ++rows_;
  positives_ += label ? 1 : 0;
  predicted_ += p;
  squared_error_ += (p - (label ? 1 : 0)) * (p - (label ? 1 : 0));
}

// Cells are joined until a bin has its share of the rows that are left.
std::vector<ReliabilityBin> Reliability::bins(std::size_t most) const {
  std::vector<ReliabilityBin> out;
  const auto edge = [](std::size_t cell) {
    return sigmoid_of(2 * kWidest * of(cell) / double{kCells} - kWidest);
  };
  Cell bin;
  std::uint64_t left = rows_;  // not in a bin yet
  std::size_t first = 0;
  for (std::size_t i = 0; i < cells_.size(); ++i) {
    const Cell& cell = cells_[i];
    if (cell.rows == 0) continue;
    if (bin.rows == 0) first = i;
    bin.rows += cell.rows;
    bin.positives += cell.positives;
    bin.predicted += cell.predicted;
    if (bin.rows < left && of(bin.rows) < of(left) / of(most - out.size())) continue;
    out.push_back({.low = edge(first),
                   .high = edge(i + 1),
                   .rows = bin.rows,
                   .predicted = bin.predicted / of(bin.rows),
                   .observed = of(bin.positives) / of(bin.rows),
                   .interval = wilson(of(bin.positives), of(bin.rows))});
    left -= bin.rows;
    bin = {};
  }
  return out;
}

std::optional<double> Reliability::error() const {
  if (rows_ == 0) return std::nullopt;
  double sum = 0;
  for (const ReliabilityBin& bin : bins()) {
    sum += of(bin.rows) * std::fabs(bin.predicted - bin.observed);
  }
  return sum / of(rows_);
}

// Of a normal deviation the mean size is its spread times sqrt(2 / pi).
std::optional<double> Reliability::error_by_chance() const {
  if (rows_ == 0) return std::nullopt;
  double sum = 0;
  for (const ReliabilityBin& bin : bins()) {
    sum += std::sqrt(of(bin.rows) * bin.predicted * (1 - bin.predicted) * 2 / std::numbers::pi);
  }
  return sum / of(rows_);
}

std::optional<double> Reliability::ratio() const {
  if (positives_ == 0) return std::nullopt;
  return predicted_ / of(positives_);
}

std::optional<Interval> Reliability::ratio_interval(double z) const {
  const auto middle = ratio();
  if (!middle) return std::nullopt;
  const double spread = std::exp(z * std::sqrt(squared_error_) / of(positives_));
  return Interval{*middle / spread, *middle * spread};
}

const CalibrationSlice* worst_slice(const std::vector<CalibrationSlice>& slices) {
  const CalibrationSlice* worst = nullptr;
  double furthest = 0;
  const double z = normal_two_sided(0.05 / of(std::max<std::size_t>(slices.size(), 1)));
  for (const CalibrationSlice& slice : slices) {
    const auto range = slice.reliability.ratio_interval(z);
    if (!range || !(range->low > 0)) continue;
    const double off = std::max(std::log(range->low), -std::log(range->high));
    if (off <= furthest) continue;
    furthest = off;
    worst = &slice;
  }
  return worst;
}

void write_reliability(JsonWriter& json, const Reliability& reliability) {
  json.field("rows", reliability.rows()).field("positives", reliability.positives());
  write_optional(json, "ratio", reliability.ratio());
  write_interval(json, "ratio_interval", reliability.ratio_interval());
  write_optional(json, "ece", reliability.error());
  write_optional(json, "ece_by_chance", reliability.error_by_chance());
  json.key("bins").begin_array();
  for (const ReliabilityBin& bin : reliability.bins()) {
    json.begin_object().field("low", bin.low).field("high", bin.high).field("rows", bin.rows);
    json.field("predicted", bin.predicted).field("observed", bin.observed);
    write_interval(json, "observed_interval", bin.interval);
    json.end_object();
  }
  json.end_array();
}

// By halving: erfc falls.
double normal_two_sided(double p) {
  double low = 0, high = 40;
  for (int i = 0; i < 100; ++i) {
    const double middle = (low + high) / 2;
    (std::erfc(middle / std::numbers::sqrt2) > p ? low : high) = middle;
  }
  return low;
}

}  // namespace attune
