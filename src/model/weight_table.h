// The weights as decisions read them: index = hash & (size - 1), size a power of two. Copies share
// what learning has not changed since.
#pragma once
#include <cstdint>

#include "base/cow_array.h"

namespace attune {

class WeightTable {
 public:
  WeightTable() = default;  // empty: every weight is 0
  explicit WeightTable(std::size_t size) : weights_(size) {}
  std::size_t size() const { return weights_.size(); }
  float operator[](std::uint32_t hash) const {
    return weights_.empty() ? 0.0F : weights_[hash & (weights_.size() - 1)];
  }
  void set(std::uint32_t hash, float weight) {
    float& now = weights_.change(hash & (weights_.size() - 1));
    used_ += static_cast<std::size_t>(weight != 0);
    used_ -= static_cast<std::size_t>(now != 0);
    now = weight;
  }
  std::size_t used() const { return used_; }  // weights other than 0
  std::size_t memory_bytes() const { return weights_.memory_bytes(); }
  std::size_t bytes_beside(const WeightTable& other) const {
    return weights_.bytes_beside(other.weights_);
  }

 private:
  CowArray<float, 256> weights_;
  std::size_t used_ = 0;
};

}  // namespace attune
