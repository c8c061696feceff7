// TableMemory<T>: zeroed numbers of a large table, on huge pages where the system has them, or a
// place in bytes somebody else owns. Aligned to 64. One thread writes.
#pragma once
#include <cstddef>
#include <memory>
#include <utility>

namespace attune {

// Zeroed bytes; nothing when the system does not have so many. Pages nobody touches take no memory.
std::shared_ptr<void> zeroed_bytes(std::size_t bytes);

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
    return memory;
  }
  // Numbers that owner keeps alive; at is aligned to 64 and may be written.
  static TableMemory within(T* at, std::size_t numbers, std::shared_ptr<void> owner) {
    TableMemory memory;
    memory.owner_ = std::move(owner);
    memory.at_ = at;
    memory.size_ = numbers;
    return memory;
  }
  T* data() const { return at_; }
  std::size_t size() const { return size_; }
  T& operator[](std::size_t i) { return at_[i]; }
  const T& operator[](std::size_t i) const { return at_[i]; }

 private:
  T* at_ = nullptr;
  std::size_t size_ = 0;
  std::shared_ptr<void> owner_;
};

}  // namespace attune
