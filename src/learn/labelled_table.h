// LabelledTable: a table whose target is known, and its rows that have a label. const calls are
// safe to share.
#pragma once
#include <cstdint>
#include <span>
#include <vector>

#include "learn/loaded_table.h"
#include "learn/target.h"

namespace attune {

struct LabelledTable {
  LabelledTable(LoadedTable loaded, Target found);

  bool is_yes(std::size_t row) const;
  float label(std::size_t row) const;                          // 0 or 1, or the number; NaN: none
  double mean_label(std::span<const std::uint32_t> of) const;  // 0 without rows

  LoadedTable table;
  Target target;
  std::vector<std::uint32_t> rows;  // with a label, rising
};

}  // namespace attune
