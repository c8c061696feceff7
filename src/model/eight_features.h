// EightFeatures: up to eight features in two registers, to compute with all at once.
#pragma once
#include <immintrin.h>

#include <cstddef>

#include "model/examples.h"

namespace attune {

struct EightFeatures {
  static constexpr std::size_t kLanes = 8;

  // The first eight; where there are fewer, zeros after them. Nothing beyond them is read.
  explicit EightFeatures(Row features) {
    const auto* const at = reinterpret_cast<const long long*>(features.data());
    if (features.size() >= kLanes) {
      first = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(at));
      second = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(at + 4));
      return;
    }
    const __m256i count = _mm256_set1_epi64x(static_cast<long long>(features.size()));
    const auto below = [&](__m256i lanes) { return _mm256_cmpgt_epi64(count, lanes); };
    first = _mm256_maskload_epi64(at, below(_mm256_setr_epi64x(0, 1, 2, 3)));
    second = _mm256_maskload_epi64(at + 4, below(_mm256_setr_epi64x(4, 5, 6, 7)));
  }
  __m256i hashes() const { return every_second<0x88>(); }
  __m256i values() const { return every_second<0xdd>(); }  // floats

  __m256i first, second;  // a hash and a value, four times

 private:
  template <int kWhich>
  __m256i every_second() const {
    const __m256 halves =
        _mm256_shuffle_ps(_mm256_castsi256_ps(first), _mm256_castsi256_ps(second), kWhich);
    return _mm256_permute4x64_epi64(_mm256_castps_si256(halves), 0xd8);
  }
};

inline void store_whole(__m256i from, void* to) {
  _mm256_storeu_si256(static_cast<__m256i*>(to), from);
}

// The other way: eight hashes and values as features.
inline void store_features(__m256i hashes, __m256i values, Feature* to) {
  const __m256i low = _mm256_unpacklo_epi32(hashes, values);
  const __m256i high = _mm256_unpackhi_epi32(hashes, values);
  store_whole(_mm256_permute2x128_si256(low, high, 0x20), to);
  store_whole(_mm256_permute2x128_si256(low, high, 0x31), to + 4);
}

}  // namespace attune
