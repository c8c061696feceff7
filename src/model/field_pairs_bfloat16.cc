// U = R V: eight chunks of rows stand side by side as a panel of 64 columns, numbers of a field
// paired with those of the next, and R is multiplied with it.
// <V_f, V_h>: a register has two fields of two rows, numbers of a row paired with those of the
// next. Tiles of three fields by up to sixteen are summed up over all rows number by number, and
// only then the eight numbers of a chunk.
#include "model/field_pairs_bfloat16.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <utility>

#include "model/bfloat16_parts.h"

namespace attune {
namespace {

using namespace bfloat16;

constexpr std::size_t kTile = 3;  // fields, of which a batch has a multiple
constexpr std::size_t kMost = 8;  // registers of a tile, each of two fields

ATTUNE_BFLOAT16 inline __m512 both(const Float8& a, const Float8& b) {
  const __m512d lower = _mm512_castps_pd(_mm512_castps256_ps512(a.v));
  return _mm512_castpd_ps(_mm512_insertf64x4(lower, _mm256_castps_pd(b.v), 1));
}

// Beyond the last field the last again: it meets a weight of 0, or its sums are not wanted.
std::size_t next_of(std::size_t f, std::size_t fields) { return std::min(f + 1, fields - 1); }

// Eight chunks as a panel.
ATTUNE_BFLOAT16 void pair_fields(const EightChunks& own, std::size_t step, std::size_t fields,
                                 Pairs* to) {
  for (std::size_t f = 0; f < fields; f += 2) {
    const std::size_t a = f * step, b = next_of(f, fields) * step;
    for (std::size_t i = 0; i < own.size(); i += 2) {
      const __m512 upper = both(own[i][a], own[i + 1][a]), lower = both(own[i][b], own[i + 1][b]);
      _mm512_store_si512(to++, paired(upper, lower));
    }
  }
}

// Of each two rows and each chunk a line of pairs, fields two a register. Rows are times the root
// of their error's magnitude: a product of two is times the error, but for its sign.
struct Lines {
  std::size_t width;                 // registers
  std::vector<Pairs> pairs;          // (lines, width), or more room
  std::vector<std::uint32_t> signs;  // (lines): bits to turn in one of two factors
};

// The line of one chunk of two rows.
ATTUNE_BFLOAT16 void pair_rows(const FieldBatch& batch, const Float8* const (&rows)[2],
                               const float (&roots)[2], Pairs* to) {
  const __m512 early = _mm512_set1_ps(roots[0]), late = _mm512_set1_ps(roots[1]);
  for (std::size_t f = 0; f < batch.fields; f += 2) {
    const std::size_t a = f * batch.chunks, b = next_of(f, batch.fields) * batch.chunks;
    const __m512 upper = both(rows[0][a], rows[0][b]), lower = both(rows[1][a], rows[1][b]);
    _mm512_store_si512(to++, paired(_mm512_mul_ps(upper, early), _mm512_mul_ps(lower, late)));
  }
}

// The later of the last two may be none: the earlier again, times 0.
void make_lines(const FieldBatch& batch, Lines& lines) {
  lines.width = pairs_of(batch.fields);
  lines.signs.clear();
  Pairs* to = room_for(pairs_of(batch.rows) * batch.chunks * lines.width, lines.pairs);
  for (std::size_t r = 0; r < batch.rows; r += 2) {
    const bool has_later = r + 1 < batch.rows;
    const float errors[2] = {batch.errors[r], has_later ? batch.errors[r + 1] : 0};
    const float roots[2] = {std::sqrt(std::abs(errors[0])), std::sqrt(std::abs(errors[1]))};
    const std::uint32_t signs = (errors[0] < 0 ? 0x8000U : 0) | (errors[1] < 0 ? 0x80000000U : 0);
    for (std::size_t c = 0; c < batch.chunks; ++c, to += lines.width) {
      const Float8* const row = &batch.vectors[r * batch.row_chunks() + c];
      pair_rows(batch, {row, has_later ? row + batch.row_chunks() : row}, roots, to);
      lines.signs.push_back(signs);
    }
  }
}

// The sums of the halves of four registers, half after half.
ATTUNE_BFLOAT16 inline __m256 sums_of_halves(const __m512* from) {
  std::array<Float8, 8> halves;
  for (std::size_t i = 0; i < 4; ++i) {
    halves[2 * i] = _mm512_castps512_ps256(from[i]);
    halves[2 * i + 1] = _mm256_castpd_ps(_mm512_extractf64x4_pd(_mm512_castps_pd(from[i]), 1));
  }
  return sums_of(halves).v;
}

// Adds those of field f by fields from h on, where they are above it.
ATTUNE_BFLOAT16 inline void add_above(__m256 sums, std::size_t f, std::size_t h, std::size_t fields,
                                      float* gradient) {
  if (h >= fields) return;
  const auto wanted = static_cast<__mmask8>(first(fields - h) & ~first(f < h ? 0 : f + 1 - h));
  float* const at = gradient + f * fields + h;
  _mm256_mask_storeu_ps(at, wanted, _mm256_add_ps(_mm256_maskz_loadu_ps(wanted, at), sums));
}

// Three fields by those of so many registers.
struct Tile {
  const Lines* lines;
  std::size_t fields, f, h;
  float* gradient;
};

template <std::size_t Registers>
ATTUNE_BFLOAT16 void add_tile(const Tile& of) {
  __m512 sums[kTile][kMost];
  for (auto& row : sums) {
    for (auto& sum : row) sum = _mm512_setzero_ps();
  }
  const Pairs* line = of.lines->pairs.data();
  for (const std::uint32_t signs : of.lines->signs) {
    const auto* const left = reinterpret_cast<const __m256i*>(line) + of.f;
    __m512bh own[kTile];
    for (std::size_t i = 0; i < kTile; ++i) {
      const __m512i twice = _mm512_broadcast_i64x4(_mm256_load_si256(left + i));
      own[i] = (__m512bh)_mm512_xor_si512(twice, _mm512_set1_epi32(static_cast<int>(signs)));
    }
    for (std::size_t k = 0; k < Registers; ++k) {
      const auto other = (__m512bh)_mm512_load_si512(line + of.h / 2 + k);
      for (std::size_t i = 0; i < kTile; ++i) {
        sums[i][k] = _mm512_dpbf16_ps(sums[i][k], own[i], other);
      }
    }
    line += of.lines->width;
  }
#pragma GCC unroll 3
  for (std::size_t i = 0; i < kTile; ++i) {
#pragma GCC unroll 2
    for (std::size_t k = 0; k < Registers; k += 4) {
      add_above(sums_of_halves(sums[i] + k), of.f + i, of.h + 2 * k, of.fields, of.gradient);
    }
  }
}

template <std::size_t... I>
constexpr auto tiles(std::index_sequence<I...>) {
  return std::array{&add_tile<I + 1>...};
}
constexpr auto kTiles = tiles(std::make_index_sequence<kMost>());

}  // namespace

RoundedWeights::RoundedWeights(const float* weights, std::size_t fields) : fields_(fields) {
  static thread_local std::vector<Pairs> room;
  weights_ = left_of({.rows = fields, .columns = kPanel, .inner = fields}, weights, room);
}

void RoundedWeights::weigh(const EightChunks& own, std::size_t step, Float8* out) const {
  static thread_local std::vector<Pairs> room;
  const std::size_t pairs = pairs_of(fields_);
  Pairs* const panel = room_for(4 * pairs, room);
  pair_fields(own, step, fields_, panel);
  sum_up_panel(fields_, weights_, panel, pairs,
               {reinterpret_cast<float*>(out), kPanel, kPanel, false});
}

void add_pairs_bfloat16(const FieldBatch& batch, float* gradient) {
  static thread_local Lines lines;
  make_lines(batch, lines);
  Tile tile{&lines, batch.fields, 0, 0, gradient};
  for (std::size_t h = 0; h < batch.fields; h += 2 * kMost) {
    const std::size_t end = std::min(h + 2 * kMost, batch.fields);
    for (tile.f = 0; tile.f < end; tile.f += kTile) {
      tile.h = std::max(h, (tile.f + 1) / 2 * 2);  // the register of the first field above
      if (tile.h < end) kTiles[pairs_of(end - tile.h) - 1](tile);
    }
  }
}

}  // namespace attune
