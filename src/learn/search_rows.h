// SearchRows: the rows a search for kind and settings (model_search.h) tries models on: those it
// learns from, and those held back to judge by. One thread.
#pragma once
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "base/result.h"
#include "model/examples.h"
#include "model/model.h"

namespace attune {

// As a kind of model takes them.
struct SearchMaterial {
  Examples learned, held;
  std::size_t inputs = 0;                     // ModelOptions::inputs
  std::vector<SequenceField> sequences = {};  // ModelOptions::sequences
};

class SearchRows {
 public:
  virtual ~SearchRows() = default;
  virtual std::size_t rows() const = 0;  // to learn from, at most
  virtual std::size_t held_rows() const = 0;
  // Whether a kind that fits the target can be tried on them.
  virtual bool takes(const std::string& kind) const = 0;
  // Tells these rows from those of another search of the same log.
  virtual std::uint64_t fingerprint() const = 0;
  // Of those to learn from `rows`, and all held back; the first of either stand for all of them.
  virtual Result<SearchMaterial> make(const std::string& kind, std::size_t rows) const = 0;
};

}  // namespace attune
