#include "model/table_shares.h"

#include <immintrin.h>

#include <algorithm>
#include <bit>

#include "base/result.h"

namespace attune {
namespace {

constexpr std::size_t kSampled = 16;  // every so many rows are counted

// Of each mask of four: the lanes it has, first to last, as halves of 64-bit numbers.
constexpr auto kPacked = [] {
  std::array<std::array<std::int32_t, 8>, 16> all{};
  for (std::uint32_t mask = 0; mask < 16; ++mask) {
    std::size_t to = 0;
    for (std::int32_t lane = 0; lane < 4; ++lane) {
      if ((mask >> lane & 1) == 0) continue;
      all[mask][to++] = 2 * lane;
      all[mask][to++] = 2 * lane + 1;
    }
  }
  return all;
}();

}  // namespace

// The most used shards first, each to who has least.
TableShares::TableShares(const Examples& rows, std::size_t members) {
  CHECK(members >= 1 && members <= kMostThreads);
  std::array<std::uint32_t, kShards> uses{};
  for (std::size_t r = 0; r < rows.size(); r += kSampled) {
    for (const Feature& f : rows.row(r)) ++uses[shard(f.hash)];
  }
  std::array<std::uint32_t, kShards> order{};
  for (std::uint32_t i = 0; i < kShards; ++i) order[i] = i;
  std::stable_sort(order.begin(), order.end(),
                   [&](std::uint32_t a, std::uint32_t b) { return uses[a] > uses[b]; });
  std::array<std::uint32_t, kMostThreads> had{};
  for (const std::uint32_t one : order) {
    auto* const least = std::min_element(had.begin(), had.begin() + members);
    *least += uses[one] + 1;
    shards_[static_cast<std::size_t>(least - had.begin())] |= 1U << one;
  }
}

std::size_t TableShares::take(std::size_t member, Row features, Feature* out) const {
  std::size_t at = 0;
  const __m256i shards = _mm256_set1_epi32(static_cast<int>(shards_[member]));
  std::size_t i = 0;
  for (; i + 4 <= features.size(); i += 4) {
    const __m256i four = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(&features[i]));
    const __m256i shard =
        _mm256_and_si256(_mm256_srli_epi32(four, 3), _mm256_set1_epi32(kShards - 1));
    // The bit of the shard becomes the sign of the 64-bit number.
    const __m256i bit = _mm256_slli_epi64(_mm256_srlv_epi32(shards, shard), 63);
    const auto mask = static_cast<std::uint32_t>(_mm256_movemask_pd(_mm256_castsi256_pd(bit)));
    const __m256i lanes = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(&kPacked[mask]));
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(&out[at]),
                        _mm256_permutevar8x32_epi32(four, lanes));
    at += static_cast<std::size_t>(std::popcount(mask));
  }
  for (; i < features.size(); ++i) {
    if (is_own(member, features[i].hash)) out[at++] = features[i];
  }
  return at;
}

void TableShares::take_fields(std::size_t member, Row features,
                              std::span<const std::uint16_t> fields, std::uint16_t* out) const {
  std::size_t at = 0;
  for (std::size_t i = 0; i < features.size(); ++i) {
    out[at] = fields[i];
    at += is_own(member, features[i].hash) ? 1 : 0;
  }
}

}  // namespace attune
