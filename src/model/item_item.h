// Item-item: decayed forward co-occurrence. C[a,b] += d^-0.5 when b follows a at distance d; rows
// divided by (row sum)^0.4; a person's score of b is sum over last items of 0.6^k N[item_k, b].
#pragma once
#include <cstdint>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/result.h"
#include "event/id.h"

namespace attune {

struct Neighbour {
  ItemKey item{};
  float count = 0;
};

class ItemItem {
 public:
  // recent: the person's items before this one, newest last (at most 30 are used).
  void learn(std::span<const ItemKey> recent, ItemKey item);
  // Best first, ties by key; at most `limit`.
  std::vector<Neighbour> score(std::span<const ItemKey> recent, std::size_t limit) const;
  void encode(std::string& out) const;  // canonical
  static Result<ItemItem> decode(std::string_view bytes);

 private:
  static constexpr std::size_t kMaxNeighbours = 64;  // the least is replaced beyond
  struct Line {
    float sum = 0;
    std::vector<Neighbour> neighbours;
  };
  std::unordered_map<ItemKey, Line, IdHash> lines_;
};

}  // namespace attune
