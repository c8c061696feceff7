// TableShares: which member of a team changes which rows of a hashed table, so that no two change
// the same one. The rows are cut into shards by their number, lines of the cache stay whole, and
// shards go to members so that each has about as many uses in the rows learned from. Const calls
// are safe to share.
#pragma once
#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "model/examples.h"
#include "model/model.h"

namespace attune {

class TableShares {
 public:
  // The same for the same rows and members, at most kMostThreads.
  TableShares(const Examples& rows, std::size_t members);

  // Copies the features that are the member's, in order, and says how many. out has room for
  // row.size() + kRoom.
  std::size_t take(std::size_t member, Row features, Feature* out) const;
  static constexpr std::size_t kRoom = 4;
  // Of a row's fields, those of the same features.
  void take_fields(std::size_t member, Row features, std::span<const std::uint16_t> fields,
                   std::uint16_t* out) const;
  bool is_own(std::size_t member, std::uint32_t hash) const {
    return (shards_[member] >> shard(hash) & 1) != 0;
  }

 private:
  static constexpr std::size_t kShards = 32;
  // Eight rows of 16 bytes or more lie together: two lines.
  static std::uint32_t shard(std::uint32_t hash) { return hash >> 3 & (kShards - 1); }

  std::array<std::uint32_t, kMostThreads> shards_{};  // of each member, by bits
};

}  // namespace attune
