// IdIndex: which row of a table belongs to which id, in fixed memory. An id may lie in one of two
// buckets of 8, chosen by its hash (Azar et al. 1994), so almost every row is used before any has
// to give way. 8 bytes a row. find() and prefetch() are const and safe to share.
#pragma once
#include <cstdint>
#include <optional>
#include <vector>

#include "base/bytes.h"

namespace attune {

class IdIndex {
 public:
  static constexpr std::size_t kBucket = 8;
  explicit IdIndex(std::size_t rows);  // a multiple of kBucket, below 2^32
  void prefetch(std::uint32_t id) const;
  // now: when an id was last seen, from 1 and never falling.
  std::optional<std::uint32_t> find(std::uint32_t id) const;
  void touch(std::uint32_t slot, std::uint32_t now) { seen_[slot] = now; }
  struct Place {
    std::uint32_t slot;
    bool is_taken;  // by the longest unseen of those that could give way
  };
  // Where an id that has no row could have one; nothing when all possible ones were seen just now.
  std::optional<Place> place(std::uint32_t id, std::uint32_t now) const;
  void set(std::uint32_t slot, std::uint32_t id, std::uint32_t now);
  void free(std::uint32_t slot);

  std::size_t size() const { return ids_.size(); }
  bool is_taken(std::size_t slot) const { return seen_[slot] != 0; }
  std::uint32_t id(std::size_t slot) const { return ids_[slot]; }
  std::uint32_t seen(std::size_t slot) const { return seen_[slot]; }
  std::size_t memory_bytes() const { return ids_.size() * 8; }

 private:
  struct Buckets {
    std::size_t first, second;  // slots where they begin
  };
  Buckets buckets(std::uint32_t id) const;
  std::optional<std::uint32_t> find_in(std::size_t begin, std::uint32_t id) const;

  std::vector<std::uint32_t> ids_;   // 0 where free
  std::vector<std::uint32_t> seen_;  // 0 = free
};

}  // namespace attune
