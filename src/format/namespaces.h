// Namespaces: what is known of each namespace of a file, found by its name with few comparisons:
// one of up to 8 bytes is a single number. One thread.
#pragma once
#include <immintrin.h>

#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/hash.h"

namespace attune {

struct Namespace {
  std::uint64_t key = 0;  // its name, or the hash of a long one
  std::uint64_t salt = 0;
  std::uint32_t size = 0;  // of the name
  std::uint16_t number = 0;
  bool is_there = false;
};

class Namespaces {
 public:
  Namespaces() : slots_(64) {}
  // At least 8 bytes after the name are readable. names: of all, by number. Null when not known;
  // valid until the next add().
  const Namespace* find(std::string_view name, std::span<const std::string> names) const {
    const std::uint64_t key = key_of(name);
    for (std::size_t at = place(key); slots_[at].is_there; at = (at + 1) & (slots_.size() - 1)) {
      const Namespace& space = slots_[at];
      if (space.key != key || space.size != name.size()) continue;
      if (name.size() <= kShort || names[space.number] == name) return &space;
    }
    return nullptr;
  }
  // One that is not there; fewer than 65,536 of them.
  const Namespace& add(std::string_view name, std::uint16_t number);

 private:
  static constexpr std::size_t kShort = 8;
  static std::uint64_t key_of(std::string_view name) {
    if (name.size() > kShort) return hash64(name);
    std::uint64_t word = 0;
    if (!name.empty()) std::memcpy(&word, name.data(), sizeof word);
    return _bzhi_u64(word, static_cast<unsigned>(8 * name.size()));
  }
  std::size_t place(std::uint64_t key) const {
    return (key * 0x9e3779b97f4a7c15ULL >> 40) & (slots_.size() - 1);
  }
  const Namespace& insert(const Namespace& space);

  std::vector<Namespace> slots_;  // open addressing, at most half full
  std::size_t count_ = 0;
};

}  // namespace attune
