// Measure: one figure that says how good a model is, with its 95 % interval and what needs no
// model; or the reason, in words, why it has no value. Never NaN. Pure data.
#pragma once
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "stat/metrics.h"

namespace attune {

class JsonWriter;

struct Measure {
  std::string name;                       // "auc", as in JSON
  std::optional<double> value = {};       // absent: `undefined` says why
  std::optional<Interval> interval = {};  // 95 %; absent where too little is known
  std::string_view method = {};           // of the interval: "DeLong", "Wilson", "normal"
  std::optional<double> baseline = {};    // of `compared_with`, on the same rows
  std::string_view compared_with = {};    // "always the base rate"
  std::string undefined = {};             // "the rows have one class, 0"
};

// The measure of that name, or nullptr.
const Measure* find_measure(std::span<const Measure> measures, std::string_view name);

// "auc", "auc_interval", "auc_baseline" and, without a value, "auc_undefined", into an open object.
void write_measures(JsonWriter& json, std::span<const Measure> measures);

// name: [low, high], or null.
void write_interval(JsonWriter& json, std::string_view name, const std::optional<Interval>& range);

// Of n values by their mean and the sum of their squares: mean +- 1.96 standard errors. nullopt
// when n < 2.
std::optional<Interval> normal_interval(double sum, double sum_of_squares, double n);

}  // namespace attune
