#include "feature/column_sketch.h"

#include <fmt/format.h>

#include <algorithm>
#include <unordered_set>

#include "feature/cell.h"

namespace attune {
namespace {

double median_of(std::vector<double> numbers) {
  if (numbers.empty()) return 0;
  const auto middle = numbers.begin() + static_cast<std::ptrdiff_t>(numbers.size() / 2);
  std::nth_element(numbers.begin(), middle, numbers.end());
  return *middle;
}

std::size_t words_in(std::string_view cell) {
  std::size_t words = 0;
  each_token(cell, " ", [&](std::string_view) { ++words; });
  return words;
}

// The length of a bracketed list of numbers; 0 when it is none.
std::size_t vector_length(std::string_view cell) {
  if (cell.size() < 2 || cell.front() != '[' || cell.back() != ']') return 0;
  std::size_t n = 0;
  bool is_numbers = true;
  each_token(cell, "", [&](std::string_view token) {
    is_numbers = is_numbers && number_of(token).has_value();
    ++n;
  });
  return is_numbers ? n : 0;
}

void add_cell(std::string_view cell, ColumnSketch& out, std::vector<double>& numbers) {
  ++out.filled;
  ++out.values[cell];
  out.words += words_in(cell);
  if (const auto number = number_of(cell)) {
    ++out.numbers;
    out.whole += *number == std::floor(*number) ? 1 : 0;
    numbers.push_back(*number);
  } else if (time_of(cell)) {
    ++out.times;
  } else if (const std::size_t length = vector_length(cell); length > 0) {
    if (out.length == 0) out.length = length;
    out.brackets += length == out.length ? 1 : 0;
  }
}

void find_separator(ColumnSketch& out) {
  for (const char separator : {'|', ';', ','}) {
    std::size_t parted = 0, tokens = 0;
    std::unordered_set<std::string_view> different;
    for (const auto& [value, count] : out.values) {
      if (value.find(separator) != std::string_view::npos) parted += count;
      each_token(value, std::string_view(&separator, 1), [&, n = count](std::string_view token) {
        tokens += n;
        different.insert(token);
      });
    }
    if (5 * parted < out.filled || parted == 0) continue;
    out.separator = separator;
    out.tokens = tokens;
    out.different_tokens = different.size();
    return;
  }
}

}  // namespace

ColumnSketch sketch_of(const TableSample& sample, std::size_t column) {
  ColumnSketch out;
  out.rows = sample.rows();
  std::vector<double> numbers;
  for (std::size_t row = 0; row < out.rows; ++row) {
    const std::string_view cell = trimmed(sample.cell(row, column));
    if (!cell.empty()) add_cell(cell, out, numbers);
  }
  if (!numbers.empty()) {
    const auto [low, high] = std::minmax_element(numbers.begin(), numbers.end());
    out.min = *low;
    out.max = *high;
    out.median = median_of(numbers);
    for (double& number : numbers) number = std::abs(number);
    out.median_size = median_of(std::move(numbers));
  }
  if (out.numbers == 0) find_separator(out);
  return out;
}

std::string grouped(std::uint64_t n) {
  std::string text = std::to_string(n);
  for (std::size_t at = text.size(); at > 3;) text.insert(at -= 3, ",");
  return text;
}

std::string range_text(double low, double high) {
  return fmt::format("{:.6g}{}{:.6g}", low, low < 0 || high < 0 ? " to " : "-", high);
}

}  // namespace attune
