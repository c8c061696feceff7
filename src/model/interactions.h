// Interactions: which person took which items, as one sparse matrix of ones. Immutable once made:
// safe to share.
#pragma once
#include <cstdint>
#include <span>
#include <utility>
#include <vector>

namespace attune {

class Interactions {
 public:
  // rows: the items of each person, all below `items`; sorted here, twice is once.
  Interactions(std::vector<std::vector<std::uint32_t>> rows, std::size_t items);

  std::size_t persons() const { return begins_.size() - 1; }
  std::size_t items() const { return counts_.size(); }
  std::size_t size() const { return columns_.size(); }
  std::span<const std::uint32_t> row(std::size_t person) const {
    return std::span(columns_).subspan(begins_[person], begins_[person + 1] - begins_[person]);
  }
  // Of each item, how many persons took it.
  std::span<const std::uint32_t> counts() const { return counts_; }
  // Persons and items exchanged.
  Interactions transposed() const;

 private:
  std::vector<std::size_t> begins_;  // persons + 1
  std::vector<std::uint32_t> columns_;
  std::vector<std::uint32_t> counts_;
};

// Each count to the power of the exponent; 0 stays 0.
std::vector<float> powers(std::span<const std::uint32_t> counts, double exponent);

}  // namespace attune
