#include "model/id_index.h"

#include <immintrin.h>

#include "base/hash.h"
#include "base/prefetch_line.h"
#include "base/result.h"

namespace attune {

IdIndex::IdIndex(std::size_t rows)
    : ids_(TableMemory<std::uint32_t>::zeroed(rows)),
      seen_(TableMemory<std::uint32_t>::zeroed(rows)) {
  CHECK(rows > 0 && rows % kBucket == 0 && rows <= UINT32_MAX);
}

IdIndex::Buckets IdIndex::buckets(std::uint32_t id) const {
  const std::uint64_t mixed = mix64(id, 0x1d);
  const std::uint64_t count = ids_.size() / kBucket;
  const std::uint64_t first = ((mixed >> 32) * count) >> 32;
  const std::uint64_t second = ((mixed & UINT32_MAX) * count) >> 32;
  return {first * kBucket, second * kBucket};
}

void IdIndex::prefetch(std::uint32_t id) const {
  const Buckets at = buckets(id);
  prefetch_line(&ids_[at.first]);
  prefetch_line(&ids_[at.second]);
}

std::optional<std::uint32_t> IdIndex::find_in(std::size_t begin, std::uint32_t id) const {
  const __m256i ids = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(&ids_[begin]));
  const __m256i equal = _mm256_cmpeq_epi32(ids, _mm256_set1_epi32(static_cast<int>(id)));
  auto hits = static_cast<unsigned>(_mm256_movemask_ps(_mm256_castsi256_ps(equal)));
  for (; hits != 0; hits &= hits - 1) {
    const std::size_t slot = begin + static_cast<unsigned>(__builtin_ctz(hits));
    if (seen_[slot] != 0) return static_cast<std::uint32_t>(slot);  // id 0 looks like a free place
  }
  return std::nullopt;
}

std::optional<std::uint32_t> IdIndex::find(std::uint32_t id) const {
  const Buckets at = buckets(id);
  if (const auto slot = find_in(at.first, id)) return slot;
  return find_in(at.second, id);
}

std::optional<IdIndex::Place> IdIndex::place(std::uint32_t id, std::uint32_t now) const {
  const Buckets at = buckets(id);
  std::size_t free[2] = {0, 0}, free_at[2] = {0, 0};
  std::size_t oldest = at.first;
  for (std::size_t b = 0; b < 2; ++b) {
    const std::size_t begin = b == 0 ? at.first : at.second;
    for (std::size_t slot = begin; slot < begin + kBucket; ++slot) {
      if (seen_[slot] == 0 && free[b]++ == 0) free_at[b] = slot;
      if (seen_[slot] < seen_[oldest]) oldest = slot;
    }
  }
  if (free[0] + free[1] > 0) {
    return Place{static_cast<std::uint32_t>(free_at[free[1] > free[0] ? 1 : 0]), false};
  }
  if (seen_[oldest] == now) return std::nullopt;
  return Place{static_cast<std::uint32_t>(oldest), true};
}

void IdIndex::set(std::uint32_t slot, std::uint32_t id, std::uint32_t now) {
  ids_[slot] = id;
  seen_[slot] = now;
}

void IdIndex::free(std::uint32_t slot) { set(slot, 0, 0); }

}  // namespace attune
