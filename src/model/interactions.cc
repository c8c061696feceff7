#include "model/interactions.h"

#include <algorithm>
#include <cmath>

#include "base/result.h"

namespace attune {

Interactions::Interactions(std::vector<std::vector<std::uint32_t>> rows, std::size_t items)
    : begins_{0}, counts_(items, 0) {
  begins_.reserve(rows.size() + 1);
  for (auto& row : rows) {
    std::sort(row.begin(), row.end());
    row.erase(std::unique(row.begin(), row.end()), row.end());
    CHECK(row.empty() || row.back() < items);
    for (const std::uint32_t item : row) ++counts_[item];
    columns_.insert(columns_.end(), row.begin(), row.end());
    begins_.push_back(columns_.size());
  }
}

Interactions Interactions::transposed() const {
  std::vector<std::vector<std::uint32_t>> columns(items());
  for (std::size_t i = 0; i < items(); ++i) columns[i].reserve(counts_[i]);
  for (std::uint32_t person = 0; person < persons(); ++person) {
    for (const std::uint32_t item : row(person)) columns[item].push_back(person);
  }
  return Interactions(std::move(columns), persons());
}

std::vector<float> powers(std::span<const std::uint32_t> counts, double exponent) {
  std::vector<float> out;
  out.reserve(counts.size());
  for (const std::uint32_t count : counts) {
    out.push_back(count == 0 ? 0 : static_cast<float>(std::pow(double(count), exponent)));
  }
  return out;
}

}  // namespace attune
