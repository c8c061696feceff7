// attune explain --model: the parts a prediction is the sum of, by name, or the largest weights.
#pragma once
#include <string>

#include "base/result.h"
#include "cli/model_input.h"

namespace attune {

struct ExplainModelOptions {
  std::string model;
  FileOptions file;      // where row is wanted
  std::size_t row = 0;   // from 1; 0 = none: the largest weights
  std::size_t top = 20;  // of parts or weights shown
  // explain_rows.h: of a table's rows, at most so many drawn by the seed.
  bool is_importance = false, is_counterfactual = false;
  std::string column;
  std::size_t rows = 2000;
  std::uint64_t seed = 1;
  bool is_json = false;
};

// The row is the one attune predict gives that line for: bad rows count.
Status explain_model(const ExplainModelOptions& options);

}  // namespace attune
