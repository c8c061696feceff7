// IdFilter: which runs an id may be in: a split block Bloom filter of every run, side by side in
// one piece of anonymous memory on large pages, for a question looks into each of them. Safe to
// share.
#pragma once
#include <array>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "base/prefetch_line.h"

namespace attune {

struct IdBlock {
  std::array<std::uint32_t, 8> words;
};
inline constexpr std::size_t kIdsOfBlock = 24;  // 256 bits for 24 ids: 1 false answer in 100

// One bit in each word of a block (Putze, Sanders, Singler 2007).
inline IdBlock bits_of_id(std::uint64_t id) {
  constexpr std::array<std::uint32_t, 8> kOdd = {0x47b6137bU, 0x44974d91U, 0x8824ad5bU,
                                                 0xa2b7289dU, 0x705495c7U, 0x2df1424bU,
                                                 0x9efc4947U, 0x5c6bfb31U};
  IdBlock bits{};
  const auto key = static_cast<std::uint32_t>(id);
  for (std::size_t i = 0; i < 8; ++i) bits.words[i] = 1U << ((key * kOdd[i]) >> 27);
  return bits;
}
inline std::size_t block_of_id(std::uint64_t id, std::size_t blocks) {
  return static_cast<std::size_t>(((id >> 32) * blocks) >> 32);
}

class IdFilter {
 public:
  IdFilter() = default;
  explicit IdFilter(std::span<const std::span<const IdBlock>> runs);
  void prefetch(std::uint64_t id) const {
    for (const auto& run : runs_) prefetch_line(&run[block_of_id(id, run.size())]);
  }
  // Calls back with the number of each run that may hold the id, until one is true.
  template <class Callback>
  bool any(std::uint64_t id, const Callback& callback) const {
    const IdBlock bits = bits_of_id(id);
    for (std::size_t i = 0; i < runs_.size(); ++i) {
      const IdBlock& block = runs_[i][block_of_id(id, runs_[i].size())];
      std::uint32_t missing = 0;
      for (std::size_t k = 0; k < 8; ++k) missing |= bits.words[k] & ~block.words[k];
      if (missing == 0 && callback(i)) return true;
    }
    return false;
  }
  std::size_t memory_bytes() const { return bytes_; }

 private:
  struct Unmap {
    std::size_t bytes;
    void operator()(IdBlock* blocks) const;
  };
  std::unique_ptr<IdBlock, Unmap> memory_;
  std::size_t bytes_ = 0;
  std::vector<std::span<const IdBlock>> runs_;
};

}  // namespace attune
