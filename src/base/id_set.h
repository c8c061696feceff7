// IdSet: a set of keyed 64-bit hashes, never 0. Open addressing in 10 to 13 bytes an id. One
// thread, or const calls only.
#pragma once
#include <cstddef>
#include <cstdint>
#include <vector>

#include "base/prefetch_line.h"

namespace attune {

class IdSet {
 public:
  void prefetch(std::uint64_t id) const {
    if (!places_.empty()) prefetch_line(&places_[home(id)]);
  }
  bool contains(std::uint64_t id) const {
    if (places_.empty()) return false;
    for (std::size_t i = home(id); places_[i] != 0; i = next(i)) {
      if (places_[i] == id) return true;
    }
    return false;
  }
  // False when it was there.
  bool insert(std::uint64_t id) {
    if (size_ >= places_.size() * 4 / 5) grow();
    std::size_t i = home(id);
    for (; places_[i] != 0; i = next(i)) {
      if (places_[i] == id) return false;
    }
    places_[i] = id;
    ++size_;
    return true;
  }
  std::size_t size() const { return size_; }
  std::size_t memory_bytes() const { return places_.capacity() * sizeof(std::uint64_t); }
  std::vector<std::uint64_t> to_vector() const {
    std::vector<std::uint64_t> ids;
    ids.reserve(size_);
    for (const std::uint64_t id : places_) {
      if (id != 0) ids.push_back(id);
    }
    return ids;
  }

 private:
  std::size_t home(std::uint64_t id) const {
    return static_cast<std::size_t>((static_cast<unsigned __int128>(id) * places_.size()) >> 64);
  }
  std::size_t next(std::size_t i) const { return i + 1 == places_.size() ? 0 : i + 1; }
  void grow() {
    std::vector<std::uint64_t> old(places_.size() * 13 / 10 + 64);
    old.swap(places_);
    size_ = 0;
    for (const std::uint64_t id : old) {
      if (id != 0) insert(id);
    }
  }
  std::vector<std::uint64_t> places_;  // 0 = free
  std::size_t size_ = 0;
};

}  // namespace attune
