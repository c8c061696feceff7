// The numbers a feature's vector starts with: the same for the same seed and id. Pure.
#pragma once
#include <cstddef>
#include <cstdint>

#include "base/hash.h"
#include "base/rng.h"

namespace attune {

// k numbers of the deviation asked for, evenly spread around 0.
inline void start_vector(float* vector, std::size_t k, float deviation, std::uint64_t seed,
                         std::uint32_t hash) {
  const float half_width = deviation * 1.7320508F;
  Rng rng(mix64(seed, hash));
  std::uint64_t bits = 0;
  for (std::size_t i = 0; i < k; ++i, bits >>= 16) {
    if (i % 4 == 0) bits = rng.next();
    const auto step = static_cast<float>(bits & 0xffff);
    vector[i] = half_width * ((step + 0.5F) / 32768 - 1);
  }
}

}  // namespace attune
