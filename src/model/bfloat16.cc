// Both matrices are laid out as pairs along `inner`: a as rows of pairs, or columns of them where
// it lies turned; b in panels of 64 columns, pair after pair. Then blocks of c of up to 24
// registers are summed up, each pair of b read once for all rows of the block.
#include "model/bfloat16.h"

#include <algorithm>

#include "model/bfloat16_parts.h"

namespace attune::bfloat16 {
namespace {

constexpr std::size_t kAccumulators = 24;  // registers that sums take

struct Room {
  std::vector<Pairs> a, b;
};

std::size_t registers_for(std::size_t numbers) { return (numbers + kLanes - 1) / kLanes; }

// 32 numbers one after the other: their pairs. Of fewer than 32 the rest is 0.
ATTUNE_BFLOAT16 inline __m512i pairs_at(const float* at, std::size_t count) {
  const __m512 early = _mm512_maskz_loadu_ps(first(count), at);
  const std::size_t left = count > kLanes ? count - kLanes : 0;
  const __m512 late =
      left == 0 ? _mm512_setzero_ps() : _mm512_maskz_loadu_ps(first(left), at + kLanes);
  return (__m512i)_mm512_cvtne2ps_pbh(late, early);
}

// rows of `inner` numbers: pairs within each row, which then begins at a register.
ATTUNE_BFLOAT16 void pair_rows(const float* from, std::size_t rows, std::size_t inner, Pairs* to) {
  for (std::size_t row = 0; row < rows; ++row) {
    for (std::size_t i = 0; i < inner; i += 2 * kLanes) {
      _mm512_store_si512(to++, pairs_at(from + row * inner + i, inner - i));
    }
  }
}

// A matrix (inner, columns) of which `width` columns are wanted: pairs of numbers above one
// another, each line of pairs from the start of a register.
ATTUNE_BFLOAT16 void pair_columns(const float* from, std::size_t inner, std::size_t columns,
                                  std::size_t width, Pairs* to) {
  for (std::size_t i = 0; i < inner; i += 2) {
    const float* const upper = from + i * columns;
    for (std::size_t c = 0; c < width; c += kLanes) {
      const __mmask16 wanted = first(width - c);
      const __m512 next =
          i + 1 < inner ? _mm512_maskz_loadu_ps(wanted, upper + columns + c) : _mm512_setzero_ps();
      _mm512_store_si512(to++, paired(_mm512_maskz_loadu_ps(wanted, upper + c), next));
    }
  }
}

// 16 lines of 16 become 16 columns.
ATTUNE_BFLOAT16 inline void turn(__m512i (&line)[kLanes]) {
  __m512i even[kLanes];
  for (std::size_t i = 0; i < kLanes; i += 2) {
    even[i] = _mm512_unpacklo_epi32(line[i], line[i + 1]);
    even[i + 1] = _mm512_unpackhi_epi32(line[i], line[i + 1]);
  }
  for (std::size_t i = 0; i < kLanes; i += 4) {
    line[i] = _mm512_unpacklo_epi64(even[i], even[i + 2]);
    line[i + 1] = _mm512_unpackhi_epi64(even[i], even[i + 2]);
    line[i + 2] = _mm512_unpacklo_epi64(even[i + 1], even[i + 3]);
    line[i + 3] = _mm512_unpackhi_epi64(even[i + 1], even[i + 3]);
  }
  // Now quarter q of line 4 g + k holds column 4 q + k of lines 4 g to 4 g + 3.
  for (std::size_t k = 0; k < 4; ++k) {
    const __m512i low = _mm512_shuffle_i32x4(line[k], line[4 + k], 0x88),
                  high = _mm512_shuffle_i32x4(line[k], line[4 + k], 0xdd),
                  low2 = _mm512_shuffle_i32x4(line[8 + k], line[12 + k], 0x88),
                  high2 = _mm512_shuffle_i32x4(line[8 + k], line[12 + k], 0xdd);
    even[k] = _mm512_shuffle_i32x4(low, low2, 0x88);
    even[8 + k] = _mm512_shuffle_i32x4(low, low2, 0xdd);
    even[4 + k] = _mm512_shuffle_i32x4(high, high2, 0x88);
    even[12 + k] = _mm512_shuffle_i32x4(high, high2, 0xdd);
  }
  for (std::size_t i = 0; i < kLanes; ++i) line[i] = even[i];
}

// pair_columns() of a matrix that lies as (columns, inner); from: its first wanted column.
ATTUNE_BFLOAT16 void pair_turned(const float* from, std::size_t inner, std::size_t width,
                                 Pairs* to) {
  const std::size_t registers = registers_for(width), pairs = pairs_of(inner);
  for (std::size_t c = 0; c < width; c += kLanes) {
    for (std::size_t p = 0; p < pairs; p += kLanes) {
      __m512i line[kLanes];
      for (std::size_t i = 0; i < kLanes; ++i) {
        line[i] = c + i < width ? pairs_at(from + (c + i) * inner + 2 * p, inner - 2 * p)
                                : _mm512_setzero_si512();
      }
      turn(line);
      Pairs* const at = to + p * registers + c / kLanes;
      for (std::size_t i = 0; i < std::min(kLanes, pairs - p); ++i) {
        _mm512_store_si512(at + i * registers, line[i]);
      }
    }
  }
}

template <std::size_t Rows, std::size_t Registers>
ATTUNE_BFLOAT16 void sum_up(const Left& a, const Pairs* b, std::size_t pairs, const Target& c) {
  __m512 sums[Rows][Registers];
  for (auto& row : sums) {
    for (auto& sum : row) sum = _mm512_setzero_ps();
  }
  for (std::size_t p = 0; p < pairs; ++p, b += Registers) {
    __m512bh right[Registers];
    for (std::size_t k = 0; k < Registers; ++k) right[k] = (__m512bh)_mm512_load_si512(b + k);
    for (std::size_t r = 0; r < Rows; ++r) {
      const auto pair = static_cast<int>(a.at[r * a.row_step + p * a.pair_step]);
      const auto left = (__m512bh)_mm512_set1_epi32(pair);
      for (std::size_t k = 0; k < Registers; ++k) {
        sums[r][k] = _mm512_dpbf16_ps(sums[r][k], left, right[k]);
      }
    }
  }
#pragma GCC unroll 24
  for (std::size_t r = 0; r < Rows; ++r) {
#pragma GCC unroll 4
    for (std::size_t k = 0; k < Registers; ++k) {
      float* const at = c.at + r * c.row_step + k * kLanes;
      const __mmask16 wanted = first(c.width - k * kLanes);
      const __m512 before = c.adds ? _mm512_maskz_loadu_ps(wanted, at) : _mm512_setzero_ps();
      _mm512_mask_storeu_ps(at, wanted, _mm512_add_ps(before, sums[r][k]));
    }
  }
}

// As many blocks of so many rows as there are; how many rows are left.
template <std::size_t Rows, std::size_t Registers>
std::size_t sum_up_blocks(std::size_t rows, Left& a, const Pairs* b, std::size_t pairs, Target& c) {
  for (; rows >= Rows; rows -= Rows) {
    sum_up<Rows, Registers>(a, b, pairs, c);
    a.at += Rows * a.row_step;
    c.at += Rows * c.row_step;
  }
  return rows;
}

template <std::size_t Registers>
void sum_up_registers(std::size_t rows, Left a, const Pairs* b, std::size_t pairs, Target c) {
  constexpr std::size_t kRows = kAccumulators / Registers;
  rows = sum_up_blocks<kRows, Registers>(rows, a, b, pairs, c);
  rows = sum_up_blocks<kRows / 3, Registers>(rows, a, b, pairs, c);
  sum_up_blocks<1, Registers>(rows, a, b, pairs, c);
}

}  // namespace

Left left_of(const Product& of, const float* a, std::vector<Pairs>& room) {
  const std::size_t pairs = pairs_of(of.inner);
  const std::size_t lines = of.is_a_turned ? pairs : of.rows;
  const std::size_t registers = registers_for(of.is_a_turned ? of.rows : pairs);
  Pairs* const to = room_for(lines * registers, room);
  if (of.is_a_turned) {
    pair_columns(a, of.inner, of.rows, of.rows, to);
  } else {
    pair_rows(a, of.rows, of.inner, to);
  }
  const std::size_t step = registers * kLanes;
  return {to->pair, of.is_a_turned ? 1 : step, of.is_a_turned ? step : 1};
}

void sum_up_panel(std::size_t rows, const Left& a, const Pairs* b, std::size_t pairs,
                  const Target& c) {
  switch (registers_for(c.width)) {
    case 1:
      return sum_up_registers<1>(rows, a, b, pairs, c);
    case 2:
      return sum_up_registers<2>(rows, a, b, pairs, c);
    case 3:
      return sum_up_registers<3>(rows, a, b, pairs, c);
    default:
      return sum_up_registers<4>(rows, a, b, pairs, c);
  }
}

}  // namespace attune::bfloat16

namespace attune {

bool has_bfloat16() {
  static const bool has = __builtin_cpu_supports("avx512bf16") &&
                          __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl");
  return has;
}

void multiply_bfloat16(const Product& of, const float* a, const float* b, float* c) {
  using namespace bfloat16;
  static thread_local Room room;
  const std::size_t pairs = pairs_of(of.inner);
  const Left left = left_of(of, a, room.a);
  Pairs* const panel = room_for(4 * pairs, room.b);
  for (std::size_t at = 0; at < of.columns; at += kPanel) {
    const std::size_t width = std::min(kPanel, of.columns - at);
    if (of.is_b_turned) {
      pair_turned(b + at * of.inner, of.inner, width, panel);
    } else {
      pair_columns(b + at, of.inner, of.columns, width, panel);
    }
    sum_up_panel(of.rows, left, panel, pairs, {c + at, of.columns, width, of.adds});
  }
}

}  // namespace attune
