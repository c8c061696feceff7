// Item-item: decayed forward co-occurrence. C[a,b] += d^-0.5 when b follows a at distance d; rows
// divided by (row sum)^0.4; a person's score of b is the sum over the last items, k = 0 the newest,
// of (0.6^k + 0.05) N[item_k, b]. The 0.05 costs nothing where order matters and finds a tenth more
// where it does not (README.md).
// Copies share the lines that neither has changed. One writer.
#pragma once
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "base/cow_map.h"
#include "base/result.h"
#include "event/id.h"
#include "model/item_sums.h"

namespace attune {

class ItemItem {
 public:
  // recent: the person's items before this one, newest last (at most 30 are used).
  void learn(std::span<const ItemKey> recent, ItemKey item);
  // Best first, ties by key; at most `limit`.
  std::vector<Neighbour> score(std::span<const ItemKey> recent, std::size_t limit) const;
  void encode(std::string& out) const { encode_part(0, 1, out); }  // canonical
  static Result<ItemItem> decode(std::string_view bytes);
  // A checkpoint writes it in parts, so that it is never twice in memory.
  void encode_part(std::uint64_t part, std::uint64_t parts, std::string& out) const;
  Status add_part(std::string_view bytes);

  std::size_t memory_bytes() const { return lines_.memory_bytes() + bytes_; }
  // What this copy holds that the other does not.
  std::size_t bytes_beside(const ItemItem& other) const;

 private:
  static constexpr std::size_t kMaxNeighbours = 64;  // the least is replaced beyond
  // 12 bytes a neighbour: there are millions. Items and counts lie apart, so that a look for one
  // is a few wide comparisons.
  struct Line {
    float sum = 0;
    std::vector<ItemKey> items;
    std::vector<float> counts;  // above 0, and finite
    void add(ItemKey item, float amount);
    void push(ItemKey item, float count);
    std::size_t worst() const;
    std::size_t memory_bytes() const;
  };

  CowMap<ItemKey, CowPtr<Line>> lines_;
  std::size_t bytes_ = 0;  // of the lines
};

}  // namespace attune
