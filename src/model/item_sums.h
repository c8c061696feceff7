// Sums of scores by item, and the best of them: what sources that add up many small scores share.
// One thread.
#pragma once
#include <bit>
#include <cstddef>
#include <vector>

#include "event/id.h"

namespace attune {

struct Neighbour {
  ItemKey item{};
  float count = 0;
};

// Sums by key, in one allocation: open addressing, for a known number of additions. The low bits of
// a key are its hash; Key{} is none.
template <class Key, class Number>
class Sums {
 public:
  explicit Sums(std::size_t additions) : slots_(std::bit_ceil(2 * additions + 2)) {}
  void add(Key key, Number amount) {
    const std::size_t mask = slots_.size() - 1;
    std::size_t at = static_cast<std::size_t>(key) & mask;
    while (slots_[at].key != Key{} && slots_[at].key != key) at = (at + 1) & mask;
    used_ += slots_[at].key == Key{} ? 1 : 0;
    slots_[at].key = key;
    slots_[at].sum += amount;
  }
  std::size_t size() const { return used_; }
  // visit(key, sum), in no order that means anything.
  template <class Visit>
  void each(const Visit& visit) const {
    for (const auto& [key, sum] : slots_) {
      if (key != Key{}) visit(key, sum);
    }
  }

 private:
  struct Slot {
    Key key{};
    Number sum = 0;
  };
  std::vector<Slot> slots_;
  std::size_t used_ = 0;
};

// The greatest first, ties by key; at most `limit`.
std::vector<Neighbour> best_of(std::vector<Neighbour> all, std::size_t limit);

}  // namespace attune
