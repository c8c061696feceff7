// TableMemory: zeroed floats of a large table, on huge pages where the system has them, or a place
// in bytes somebody else owns. Aligned to 64. One thread writes.
#pragma once
#include <cstddef>
#include <memory>
#include <span>

namespace attune {

class TableMemory {
 public:
  TableMemory() = default;
  // Empty when the system does not have so much. Pages nobody touches take no memory.
  static TableMemory zeroed(std::size_t floats);
  // floats that owner keeps alive; at is aligned to 64 and may be written.
  static TableMemory within(float* at, std::size_t floats, std::shared_ptr<void> owner);
  float* data() const { return at_; }
  std::size_t size() const { return size_; }

 private:
  float* at_ = nullptr;
  std::size_t size_ = 0;
  std::shared_ptr<void> owner_;
};

}  // namespace attune
