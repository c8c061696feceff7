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
  bool is_json = false;
};

// The row is the one attune predict gives that line for: bad rows count.
Status explain_model(const ExplainModelOptions& options);

}  // namespace attune
