// What a sample says of one column: how many cells are what. Pure once made.
#pragma once
#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "feature/derive_table.h"

namespace attune {

struct ColumnSketch {
  std::size_t rows = 0;
  std::size_t filled = 0;    // cells that are not empty
  std::size_t numbers = 0;   // of the filled ones
  std::size_t whole = 0;     // numbers without a fraction
  std::size_t times = 0;     // dates and times by ISO-8601
  std::size_t brackets = 0;  // [...] of numbers, all as long as `length`
  std::size_t length = 0;
  std::size_t words = 0;                                     // parted by blanks, of all cells
  double min = 0, max = 0, median = 0, median_size = 0;      // of the numbers; of their sizes |x|
  std::unordered_map<std::string_view, std::size_t> values;  // of the sample
  // Of the first of | ; , that parts at least a fifth of the cells; 0 = none.
  char separator = 0;
  std::size_t tokens = 0, different_tokens = 0;

  double share(std::size_t n) const {
    return filled == 0 ? 0 : static_cast<double>(n) / static_cast<double>(filled);
  }
  bool is_number() const { return filled > 0 && share(numbers) >= 0.95; }
};

ColumnSketch sketch_of(const TableSample& sample, std::size_t column);

// "12,345".
std::string grouped(std::uint64_t n);
// "18-95" of a range, "-3 to 7" when one is negative.
std::string range_text(double low, double high);

}  // namespace attune
