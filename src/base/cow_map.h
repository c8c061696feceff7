// CowMap: a hash table from random 64-bit keys (their low bits are the hash; 0 = none) to values,
// open addressing over a CowArray: copies share what neither has changed. Threads as CowArray.
// CowPtr: a large value of such a table. A copy shares it; change() copies it once if shared.
#pragma once
#include <cstdint>

#include "base/cow_array.h"
#include "base/result.h"

namespace attune {

template <class T>
class CowPtr {
 public:
  CowPtr() = default;
  CowPtr(const CowPtr& other) : value_(other.value_) {}
  CowPtr(CowPtr&& other) noexcept
      : value_(std::move(other.value_)), is_own_(std::exchange(other.is_own_, false)) {}
  CowPtr& operator=(CowPtr other) noexcept {
    value_.swap(other.value_);
    std::swap(is_own_, other.is_own_);
    return *this;
  }
  ~CowPtr() = default;
  const T* get() const { return value_.get(); }
  const T& operator*() const { return *value_; }
  const T* operator->() const { return value_.get(); }
  // Only of a CowPtr that change() of its table gave: the table then has a copy of its own.
  T& change() {
    if (!is_own_) value_ = value_ ? std::make_shared<T>(*value_) : std::make_shared<T>();
    is_own_ = true;
    return *value_;
  }

 private:
  std::shared_ptr<T> value_;
  bool is_own_ = false;
};

template <class Key, class T, std::size_t kChunk = 16>
class CowMap {
 public:
  std::size_t size() const { return size_; }
  const T* find(Key key) const {
    if (size_ == 0 || key == Key{}) return nullptr;
    const Slot& slot = slots_[place_of(key)];
    return slot.key == key ? &slot.value : nullptr;
  }
  bool contains(Key key) const { return find(key) != nullptr; }
  // T() when it was not there. Valid until the next change.
  T& change(Key key) {
    CHECK(key != Key{});
    if ((size_ + 1) * 5 > slots_.size() * 4) grow();
    Slot& slot = slots_.change(place_of(key));
    if (slot.key == Key{}) {
      slot.key = key;
      ++size_;
    }
    return slot.value;
  }
  bool erase(Key key) {
    if (!contains(key)) return false;
    const std::size_t mask = slots_.size() - 1;
    std::size_t hole = place_of(key);
    // Later slots move back, so that no probe meets a hole before its key.
    for (std::size_t i = (hole + 1) & mask; slots_[i].key != Key{}; i = (i + 1) & mask) {
      const std::size_t home = home_of(slots_[i].key);
      if (((i - home) & mask) < ((i - hole) & mask)) continue;
      Slot moved = slots_[i];  // before change() may let its chunk go
      slots_.change(hole) = std::move(moved);
      hole = i;
    }
    slots_.change(hole) = Slot();
    --size_;
    return true;
  }
  // visit(key, value), in no order that means anything.
  template <class Visit>
  void each(const Visit& visit) const {
    for (const Slot& slot : slots_) {
      if (slot.key != Key{}) visit(slot.key, slot.value);
    }
  }
  // visit(key, value, the other's value or null): at least all that the other holds differently.
  // Costs what differs, unless one of both has grown.
  template <class Visit>
  void each_difference(const CowMap& other, const Visit& visit) const {
    if (slots_.size() != other.slots_.size()) {
      return each([&](Key key, const T& value) { visit(key, value, other.find(key)); });
    }
    slots_.each_chunk_beside(other.slots_, [&](std::size_t begin, std::size_t end) {
      for (std::size_t i = begin; i < end; ++i) {
        if (slots_[i].key != Key{})
          visit(slots_[i].key, slots_[i].value, other.find(slots_[i].key));
      }
    });
  }
  std::size_t memory_bytes() const { return slots_.memory_bytes(); }
  std::size_t bytes_beside(const CowMap& other) const { return slots_.bytes_beside(other.slots_); }

 private:
  static constexpr std::size_t kFirstSlots = 64;
  struct Slot {
    Key key{};
    T value{};
  };
  std::size_t home_of(Key key) const {
    return static_cast<std::uint64_t>(key) & (slots_.size() - 1);
  }
  // Where the key is, or would be.
  std::size_t place_of(Key key) const {
    std::size_t i = home_of(key);
    while (slots_[i].key != key && slots_[i].key != Key{}) i = (i + 1) & (slots_.size() - 1);
    return i;
  }
  void grow() {
    const CowArray<Slot, kChunk> old = std::move(slots_);
    slots_ = CowArray<Slot, kChunk>(old.empty() ? kFirstSlots : old.size() * 2);
    for (const Slot& slot : old) {
      if (slot.key != Key{}) slots_.change(place_of(slot.key)) = slot;
    }
  }

  CowArray<Slot, kChunk> slots_;
  std::size_t size_ = 0;
};

}  // namespace attune
