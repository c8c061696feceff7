// Ids as types of their own: one cannot be passed for another.
#pragma once
#include <cstdint>
#include <string_view>

#include "base/hash.h"

namespace attune {

// Random 64 bits that stand for one identity; never leave the process. 0 = none.
enum class Surrogate : std::uint64_t {};
// Hash of an item's external id: the same in every run and on every shard. 0 = none.
enum class ItemKey : std::uint64_t {};
// Ordinal of a record in the journal, from 1. 0 = before the first.
using Position = std::uint64_t;

constexpr std::uint64_t raw(Surrogate s) { return static_cast<std::uint64_t>(s); }
constexpr std::uint64_t raw(ItemKey k) { return static_cast<std::uint64_t>(k); }
inline ItemKey item_key(std::string_view item_id) { return ItemKey{hash64(item_id)}; }

// 1-256 bytes of valid UTF-8 without control characters.
bool is_valid_external_id(std::string_view id);

struct IdHash {
  std::size_t operator()(Surrogate s) const { return raw(s); }
  std::size_t operator()(ItemKey k) const { return raw(k); }
};

}  // namespace attune
