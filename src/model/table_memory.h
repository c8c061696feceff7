// TableMemory<T>: zeroed numbers of a large table, on huge pages where the system has them, or a
// place in bytes somebody else owns. Aligned to 64. One thread writes.
#pragma once
#include <cstddef>
#include <memory>
#include <utility>

namespace attune {

// Zeroed bytes; nothing when the system does not have so many. Pages nobody touches take no memory.
std::shared_ptr<void> zeroed_bytes(std::size_t bytes);
// The same, but none may be touched before open_bytes(): a range of addresses, which RLIMIT_DATA
// does not count.
std::shared_ptr<void> reserved_bytes(std::size_t bytes);
// Of all the reserved bytes the first `open` may be touched: opens them up to `wanted` and some
// megabytes beyond, so that it is asked seldom. How many may be touched then.
std::size_t open_bytes(void* begin, std::size_t all, std::size_t open, std::size_t wanted);

template <class T>
class TableMemory {
 public:
  TableMemory() = default;
  // Empty when the system does not have so much.
  static TableMemory zeroed(std::size_t numbers) {
    TableMemory memory;
    memory.owner_ = zeroed_bytes(numbers * sizeof(T));
    memory.at_ = static_cast<T*>(memory.owner_.get());
    memory.size_ = memory.at_ == nullptr ? 0 : numbers;
    memory.open_ = memory.size_;
    return memory;
  }
  // None of them may be touched before open(). Empty when there are not so many addresses.
  static TableMemory reserved(std::size_t numbers) {
    TableMemory memory;
    memory.owner_ = reserved_bytes(numbers * sizeof(T));
    memory.at_ = static_cast<T*>(memory.owner_.get());
    memory.size_ = memory.at_ == nullptr ? 0 : numbers;
    return memory;
  }
  // Numbers that owner keeps alive; at is aligned to 64 and may be written.
  static TableMemory within(T* at, std::size_t numbers, std::shared_ptr<void> owner) {
    TableMemory memory;
    memory.owner_ = std::move(owner);
    memory.at_ = at;
    memory.size_ = numbers;
    memory.open_ = numbers;
    return memory;
  }
  // The first so many may be touched from now on. False when the system does not have so much.
  bool open(std::size_t numbers) {
    if (numbers <= open_) return true;
    const std::size_t each = sizeof(T);
    open_ = open_bytes(at_, size_ * each, open_ * each, numbers * each) / each;
    return numbers <= open_;
  }
  T* data() const { return at_; }
  std::size_t size() const { return size_; }
  T& operator[](std::size_t i) { return at_[i]; }
  const T& operator[](std::size_t i) const { return at_[i]; }

 private:
  T* at_ = nullptr;
  std::size_t size_ = 0;
  std::size_t open_ = 0;  // of them, that may be touched
  std::shared_ptr<void> owner_;
};

}  // namespace attune
