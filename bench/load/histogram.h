// Histogram: counts of microseconds in log-linear buckets of at most 1.6 % width, as HdrHistogram
// keeps them; the largest value is kept exactly. One thread.
#pragma once
#include <algorithm>
#include <array>
#include <bit>
#include <cstdint>

namespace attune::load {

class Histogram {
 public:
  void add(std::uint64_t us) {
    ++buckets_[index_of(us)];
    ++count_;
    largest_ = std::max(largest_, us);
  }
  std::uint64_t count() const { return count_; }
  std::uint64_t largest() const { return largest_; }
  // The smallest bucket's upper end with at least this share of the values below it, in
  // microseconds; 0 when empty.
  std::uint64_t quantile(double share) const {
    const auto wanted = static_cast<std::uint64_t>(share * static_cast<double>(count_));
    std::uint64_t below = 0;
    for (std::size_t i = 0; i < buckets_.size(); ++i) {
      below += buckets_[i];
      if (buckets_[i] != 0 && below >= wanted) return std::min(upper_of(i), largest_);
    }
    return 0;
  }

  // Values below 2^(kBits + 1) have their own bucket; above, 2^kBits buckets per power of two.
  static std::size_t index_of(std::uint64_t us) {
    us = std::min(us, kMost);
    if (us < (2ULL << kBits)) return us;
    const int shift = static_cast<int>(std::bit_width(us)) - 1 - kBits;
    return (static_cast<std::size_t>(shift) << kBits) + (us >> shift);
  }
  static std::uint64_t upper_of(std::size_t index) {
    if (index < (2ULL << kBits)) return index;
    const std::size_t shift = (index >> kBits) - 1;
    const std::uint64_t mantissa = (index & ((1ULL << kBits) - 1)) + (1ULL << kBits);
    return ((mantissa + 1) << shift) - 1;
  }

 private:
  static constexpr int kBits = 6;
  static constexpr std::uint64_t kMost = (1ULL << 36) - 1;  // 19 hours
  std::array<std::uint64_t, (37 - kBits) << kBits> buckets_{};
  std::uint64_t count_ = 0;
  std::uint64_t largest_ = 0;
};

}  // namespace attune::load
