#include "model/table_memory.h"

#include <sys/mman.h>

namespace attune {

TableMemory TableMemory::zeroed(std::size_t floats) {
  constexpr std::size_t kHugePage = std::size_t{1} << 21;
  const std::size_t bytes = floats * sizeof(float);
  const std::size_t asked = bytes >= kHugePage ? bytes + kHugePage : bytes;
  TableMemory memory;
  if (bytes == 0) return memory;
  void* const at = ::mmap(nullptr, asked, PROT_READ | PROT_WRITE,
                          MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (at == MAP_FAILED) return memory;
  void* aligned = at;
  if (bytes >= kHugePage) {
    std::size_t room = asked;
    std::align(kHugePage, bytes, aligned, room);
    ::madvise(aligned, bytes, MADV_HUGEPAGE);
  }
  memory.owner_ = std::shared_ptr<void>(at, [asked](void* begin) { ::munmap(begin, asked); });
  memory.at_ = static_cast<float*>(aligned);
  memory.size_ = floats;
  return memory;
}

TableMemory TableMemory::within(float* at, std::size_t floats, std::shared_ptr<void> owner) {
  TableMemory memory;
  memory.at_ = at;
  memory.size_ = floats;
  memory.owner_ = std::move(owner);
  return memory;
}

}  // namespace attune
