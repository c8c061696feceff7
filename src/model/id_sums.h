// IdSums: of each id, the weight of the rows it was in and the sum of their labels. Ids whose
// hashes agree in the lowest `bits` bits are one. Grows with the ids it meets. add() is one
// thread's; the rest is const and safe to share.
#pragma once
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "base/bytes.h"

namespace attune {

class IdSums {
 public:
  struct Sums {
    float rows = 0, labels = 0;  // rows 0 = an id not met
  };
  explicit IdSums(int bits) : mask_((std::uint32_t{1} << bits) - 1) {}  // bits in [8, 28]

  Sums find(std::uint32_t hash) const;
  void add(std::uint32_t hash, const Sums& more);  // more.rows above 0
  std::size_t size() const { return size_; }
  std::size_t memory_bytes() const { return slots_.size() * sizeof(Slot); }

  // In the order of ids.
  void encode(std::string& out) const;
  bool restore(Reader& reader);  // of the same bits, into an empty one

 private:
  struct Slot {
    std::uint32_t id = 0;
    Sums sums;
  };
  // Where an id stands, or is to stand; there are free slots.
  std::size_t slot_of(std::uint32_t id) const;
  void grow();

  std::uint32_t mask_;
  std::size_t size_ = 0;
  std::vector<Slot> slots_;  // a power of two of them, or none
};

}  // namespace attune
