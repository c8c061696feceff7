// Sums of scores by item, and the best of them: what sources that add up many small scores share.
// One thread.
#pragma once
#include <cstddef>
#include <vector>

#include "event/id.h"

namespace attune {

struct Neighbour {
  ItemKey item{};
  float count = 0;
};

// In one allocation: open addressing, for a known number of additions.
class ItemSums {
 public:
  explicit ItemSums(std::size_t additions);
  void add(ItemKey item, double amount) {
    const std::size_t mask = slots_.size() - 1;
    std::size_t at = raw(item) & mask;
    while (slots_[at].item != ItemKey{} && slots_[at].item != item) at = (at + 1) & mask;
    slots_[at].item = item;
    slots_[at].sum += amount;
  }
  std::vector<Neighbour> all() const;  // in no order that means anything

 private:
  struct Slot {
    ItemKey item{};
    double sum = 0;
  };
  std::vector<Slot> slots_;
};

// The greatest first, ties by key; at most `limit`.
std::vector<Neighbour> best_of(std::vector<Neighbour> all, std::size_t limit);

}  // namespace attune
