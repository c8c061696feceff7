#include "model/table_memory.h"

#include <sys/mman.h>

#include <algorithm>

namespace attune {
namespace {

constexpr std::size_t kHugePage = std::size_t{1} << 21;
constexpr std::size_t kMostBeyond = 8 * kHugePage;  // of what is asked for

std::shared_ptr<void> mapped(std::size_t bytes, int protection) {
  if (bytes == 0 || bytes > (std::size_t{1} << 46)) return nullptr;
  const bool is_huge = bytes >= kHugePage;
  const std::size_t asked = is_huge ? bytes + kHugePage : bytes;
  void* const at =
      ::mmap(nullptr, asked, protection, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (at == MAP_FAILED) return nullptr;
  void* aligned = at;
  std::size_t room = asked;
  if (is_huge && std::align(kHugePage, bytes, aligned, room) != nullptr) {
    ::madvise(aligned, bytes, MADV_HUGEPAGE);
  }
  const std::shared_ptr<void> owner(at, [asked](void* begin) { ::munmap(begin, asked); });
  return {owner, aligned};
}

}  // namespace

std::shared_ptr<void> zeroed_bytes(std::size_t bytes) {
  return mapped(bytes, PROT_READ | PROT_WRITE);
}

std::shared_ptr<void> reserved_bytes(std::size_t bytes) { return mapped(bytes, PROT_NONE); }

// Whole huge pages, or all: where one piece ends the next begins.
std::size_t open_bytes(void* begin, std::size_t all, std::size_t open, std::size_t wanted) {
  if (wanted > all) return open;
  const std::size_t beyond = wanted + std::min(open, kMostBeyond);
  const std::size_t until = std::min((beyond + kHugePage - 1) / kHugePage * kHugePage, all);
  char* const from = static_cast<char*>(begin) + open;
  const bool is_open = ::mprotect(from, until - open, PROT_READ | PROT_WRITE) == 0;
  return is_open ? until : open;
}

}  // namespace attune
