#include "model/table_memory.h"

#include <sys/mman.h>

namespace attune {

std::shared_ptr<void> zeroed_bytes(std::size_t bytes) {
  constexpr std::size_t kHugePage = std::size_t{1} << 21;
  if (bytes == 0 || bytes > (std::size_t{1} << 46)) return nullptr;
  const bool is_huge = bytes >= kHugePage;
  const std::size_t asked = is_huge ? bytes + kHugePage : bytes;
  void* const at = ::mmap(nullptr, asked, PROT_READ | PROT_WRITE,
                          MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (at == MAP_FAILED) return nullptr;
  void* aligned = at;
  std::size_t room = asked;
  if (is_huge && std::align(kHugePage, bytes, aligned, room) != nullptr) {
    ::madvise(aligned, bytes, MADV_HUGEPAGE);
  }
  const std::shared_ptr<void> owner(at, [asked](void* begin) { ::munmap(begin, asked); });
  return {owner, aligned};
}

}  // namespace attune
