// Target: the column to predict, whether it is a yes or no or a number, and what of it means yes.
// Pure.
#pragma once
#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"
#include "learn/loaded_table.h"

namespace attune {

struct Target {
  std::size_t column = 0;
  std::string name;
  bool is_binary = true;
  // Of a yes or no: the text that means yes, also where it is "1".
  std::string positive;
  bool is_guessed = false;  // positive was, of two texts that do not say so themselves
  std::uint64_t positives = 0, negatives = 0, missing = 0;
  double mean = 0;  // of a number
  std::uint64_t distinct = 0;
};

struct TargetOptions {
  std::string name;
  std::string positive;  // "" = 1, or the one of two texts that says yes, or the rarer
  // The kind of model was asked for by name: "" = none; a value (linear) or a probability.
  std::string kind;
  bool is_value_kind = false;
};

// kInvalid: no such column (and which was meant), no values, one value, or more than two texts. It
// says what is missing.
Result<Target> find_target(const LoadedTable& table, const TargetOptions& options);

}  // namespace attune
