#include "journal/id_filter.h"

#include <sys/mman.h>

#include <algorithm>

#include "base/result.h"

namespace attune {

void IdFilter::Unmap::operator()(IdBlock* blocks) const { ::munmap(blocks, bytes); }

IdFilter::IdFilter(std::span<const std::span<const IdBlock>> runs) {
  std::size_t blocks = 0;
  for (const auto& run : runs) blocks += run.size();
  if (blocks == 0) return;
  bytes_ = blocks * sizeof(IdBlock);
  void* const at =
      ::mmap(nullptr, bytes_, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  CHECK(at != MAP_FAILED);
  ::madvise(at, bytes_, MADV_HUGEPAGE);  // only for speed
  memory_ = {static_cast<IdBlock*>(at), Unmap{bytes_}};
  IdBlock* next = memory_.get();
  for (const auto& run : runs) {
    runs_.emplace_back(next, run.size());
    next = std::copy(run.begin(), run.end(), next);
  }
}

}  // namespace attune
