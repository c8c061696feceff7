#include "stat/measure.h"

#include <algorithm>
#include <cmath>

#include "base/json.h"

namespace attune {

const Measure* find_measure(std::span<const Measure> measures, std::string_view name) {
  const auto at = std::find_if(measures.begin(), measures.end(),
                               [&](const Measure& measure) { return measure.name == name; });
  return at == measures.end() ? nullptr : &*at;
}

void write_measures(JsonWriter& json, std::span<const Measure> measures) {
  for (const Measure& measure : measures) {
    json.key(measure.name);
    measure.value ? json.value(*measure.value) : json.null();
    if (!measure.value) json.field(measure.name + "_undefined", measure.undefined);
    if (measure.interval) write_interval(json, measure.name + "_interval", measure.interval);
    if (measure.baseline) json.field(measure.name + "_baseline", *measure.baseline);
  }
}

void write_interval(JsonWriter& json, std::string_view name, const std::optional<Interval>& range) {
  json.key(name);
  if (!range) {
    json.null();
    return;
  }
  json.begin_array().value(range->low).value(range->high).end_array();
}

std::optional<Interval> normal_interval(double sum, double sum_of_squares, double n) {
  if (!(n >= 2)) return std::nullopt;
  const double mean = sum / n;
  const double variance = std::max(0.0, sum_of_squares / n - mean * mean) * n / (n - 1);
  const double half = 1.96 * std::sqrt(variance / n);
  return Interval{mean - half, mean + half};
}

}  // namespace attune
