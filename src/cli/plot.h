// Small plots out of block characters, for a terminal. Pure.
#pragma once
#include <span>
#include <string>
#include <vector>

namespace attune {

// One character a value, from an empty column at 0 to a full one at `most`; NaN is a space.
std::string sparkline(std::span<const double> values, double most);
// Columns on `rows` lines, from an eighth of a line at `low` to all of them at `high`; NaN is
// empty. The top line first.
std::vector<std::string> columns_plot(std::span<const double> values, double low, double high,
                                      std::size_t rows);
// A bar of value / most of `width` columns, in eighths of a column, padded to `width`.
std::string bar(double value, double most, std::size_t width);

}  // namespace attune
