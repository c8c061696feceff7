// What products of bfloat16 are made of. The instruction takes pairs: for each lane of 32 bits,
// c += a0 b0 + a1 b1. So both factors are first rounded and laid out as pairs of numbers that meet.
// Nothing here without has_bfloat16().
#pragma once
#include <immintrin.h>

#include "model/bfloat16.h"

#define ATTUNE_BFLOAT16 [[gnu::target("avx512f,avx512bw,avx512vl,avx512bf16")]]

namespace attune::bfloat16 {

inline constexpr std::size_t kLanes = 16;          // of a register
inline constexpr std::size_t kPanel = 4 * kLanes;  // columns of b that are taken at once

struct alignas(64) Pairs {
  std::uint32_t pair[kLanes];  // the earlier number in the low bits
};

// Pairs of a, wherever they lie.
struct Left {
  const std::uint32_t* at;
  std::size_t row_step, pair_step;
};
// What sums are written or added to.
struct Target {
  float* at;
  std::size_t row_step, width;
  bool adds;
};

inline std::size_t pairs_of(std::size_t numbers) { return (numbers + 1) / 2; }

// Room for so many; what is in it is anything.
inline Pairs* room_for(std::size_t count, std::vector<Pairs>& room) {
  if (room.size() < count) room.resize(count);
  return room.data();
}

inline __mmask16 first(std::size_t count) {
  return static_cast<__mmask16>(count >= kLanes ? 0xffff : (1U << count) - 1);
}

alignas(64) inline constexpr std::uint16_t kZip[2 * kLanes] = {
    0, 16, 1, 17, 2,  18, 3,  19, 4,  20, 5,  21, 6,  22, 7,  23,
    8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31};

// 16 numbers above 16 others: their pairs.
ATTUNE_BFLOAT16 inline __m512i paired(__m512 upper, __m512 lower) {
  const auto both = (__m512i)_mm512_cvtne2ps_pbh(lower, upper);
  return _mm512_permutexvar_epi16(_mm512_load_si512(kZip), both);
}

// The first factor as pairs along `inner`, in `room`.
Left left_of(const Product& of, const float* a, std::vector<Pairs>& room);
// All rows of a times a panel of b, at most kPanel wide: pair after pair, each from the start of a
// register.
void sum_up_panel(std::size_t rows, const Left& a, const Pairs* b, std::size_t pairs,
                  const Target& c);

}  // namespace attune::bfloat16
