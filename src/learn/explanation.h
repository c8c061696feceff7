// Explanation: the parts a prediction is the sum of, by name; and the largest weights of a model.
// Pure.
#pragma once
#include <string>
#include <vector>

#include "base/result.h"
#include "learn/trained.h"

namespace attune {

struct RowPart {
  std::string name;  // "job=technician"; "#1a2b3c4d" where the name is not known
  double value = 0;  // of the feature
  double part = 0;   // of the logit, or of the value that is predicted
};

// The part of all features that the row does not have, of trees.
inline constexpr const char* kAbsentPart = "(what is not in the row)";

struct Explanation {
  double prediction = 0;  // a probability, or a value; calibrated
  double raw = 0;         // the same before calibration: what the sum says
  double sum = 0;         // bias and parts: its logit, or itself
  double bias = 0;
  std::vector<RowPart> parts;  // the largest first, whatever its sign
};

// row: one row as read, not yet changed by InputMap. names: of its features, parallel to them.
// kInvalid for a kind without exact parts.
Result<Explanation> explain_row(const Trained& trained, const Examples& row,
                                const std::vector<std::string>& names);

// The features whose value of 1 moves the logit most, by what they move it. kInvalid for a kind
// without exact parts, or a model saved without names.
Result<std::vector<RowPart>> largest_weights(const Trained& trained, std::size_t most);

}  // namespace attune
