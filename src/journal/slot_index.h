// SlotIndex: finds slot numbers by hashes that are uniform already (random or keyed). Open
// addressing: five bytes a place, one of them a tag, so that slots are looked at only when they are
// nearly surely the right one. The slots themselves lie elsewhere. One thread, or const calls only.
#pragma once
#include <cstdint>
#include <optional>
#include <vector>

namespace attune {

class SlotIndex {
 public:
  // The slot put under this hash of which is_it(slot) is true.
  template <class IsIt>
  std::optional<std::uint32_t> find(std::uint64_t hash, const IsIt& is_it) const {
    if (tags_.empty()) return std::nullopt;
    const std::uint8_t tag = tag_of(hash);
    for (std::size_t i = home(hash); tags_[i] != 0; i = next(i)) {
      if (tags_[i] == tag && slots_[i] != kRemoved && is_it(slots_[i])) return slots_[i];
    }
    return std::nullopt;
  }
  // Needs reset() and every slot put again before the next put().
  bool is_full() const { return used_ >= max_used_; }
  // Empties it, with room for more than `live` slots.
  void reset(std::size_t live) {
    const std::size_t places = live * 7 / 4 + 64;
    tags_.assign(places, 0);
    slots_.assign(places, kRemoved);
    used_ = 0;
    max_used_ = places * 17 / 20;
  }
  // Not full, and the slot is not in it.
  void put(std::uint64_t hash, std::uint32_t slot) {
    std::size_t i = home(hash);
    while (tags_[i] != 0) i = next(i);
    tags_[i] = tag_of(hash);
    slots_[i] = slot;
    ++used_;
  }
  void remove(std::uint64_t hash, std::uint32_t slot) {
    for (std::size_t i = home(hash); tags_[i] != 0; i = next(i)) {
      if (slots_[i] == slot) slots_[i] = kRemoved;
    }
  }
  std::size_t memory_bytes() const {
    return tags_.capacity() + slots_.capacity() * sizeof(kRemoved);
  }

 private:
  static constexpr std::uint32_t kRemoved = 0xffffffff;
  static std::uint8_t tag_of(std::uint64_t hash) {
    return static_cast<std::uint8_t>((hash & 0xff) != 0 ? hash & 0xff : 1);
  }
  std::size_t home(std::uint64_t hash) const {
    return static_cast<std::size_t>((static_cast<unsigned __int128>(hash) * tags_.size()) >> 64);
  }
  std::size_t next(std::size_t i) const { return i + 1 == tags_.size() ? 0 : i + 1; }

  std::vector<std::uint8_t> tags_;    // 0 = never used
  std::vector<std::uint32_t> slots_;  // kRemoved under a tag: a place that was given up
  std::size_t used_ = 0;              // places with a tag
  std::size_t max_used_ = 0;
};

}  // namespace attune
