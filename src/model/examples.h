// Examples: labelled rows in one block of memory, as files and caches hand them to learners.
// Cleared and filled again, so that reading allocates nothing in the long run. One thread.
#pragma once
#include <cmath>
#include <cstdint>
#include <span>
#include <vector>

#include "base/prefetch_line.h"
#include "model/ftrl.h"

namespace attune {

struct Examples {
  std::vector<float> labels;  // 0 or 1, or any number; NaN = not known
  // Of further tasks, row after row, as many for each row; NaN = not known; empty = of one task.
  std::vector<float> further_labels;
  std::vector<float> weights;         // importance of each row; empty = all 1
  std::vector<std::uint32_t> ends;    // row r owns features [ends[r - 1], ends[r]), row 0 from 0
  std::vector<Feature> features;      // of all rows
  std::vector<std::uint16_t> fields;  // parallel to features: which column, namespace or field
  std::vector<std::uint32_t> groups;  // of each row: rows of one group compete; empty = none do

  std::size_t size() const { return ends.size(); }
  std::size_t begin_of(std::size_t row) const { return row == 0 ? 0 : ends[row - 1]; }
  Row row(std::size_t row) const {
    return Row(features).subspan(begin_of(row), ends[row] - begin_of(row));
  }
  Row row_if_any(std::size_t row) const { return row < size() ? this->row(row) : Row(); }
  std::span<const std::uint16_t> fields_of(std::size_t row) const {
    return std::span(fields).subspan(begin_of(row), ends[row] - begin_of(row));
  }
  // Asks memory for what is in a row, if there is such a row.
  void prefetch(std::size_t row) const {
    if (row >= size()) return;
    const std::size_t begin = begin_of(row), end = ends[row];
    for (std::size_t i = begin; i < end; i += 64 / sizeof(Feature)) prefetch_line(&features[i]);
    for (std::size_t i = begin; i < end; i += 64 / sizeof(fields[0])) prefetch_line(&fields[i]);
  }
  // Tasks beside the first.
  std::size_t further() const { return ends.empty() ? 0 : further_labels.size() / ends.size(); }
  // Of any task, 0 = the first; NaN where the rows have no such task.
  float label(std::size_t row, std::size_t task) const {
    if (task == 0) return labels[row];
    return task > further() ? NAN : further_labels[row * further() + task - 1];
  }
  std::uint32_t group(std::size_t row) const { return groups.empty() ? 0 : groups[row]; }
  float weight(std::size_t row) const { return weights.empty() ? 1.0F : weights[row]; }
  void clear() {
    labels.clear();
    further_labels.clear();
    weights.clear();
    ends.clear();
    features.clear();
    fields.clear();
    groups.clear();
  }
};

}  // namespace attune
