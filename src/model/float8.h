// Float8: eight floats with the operators of one, so that a formula written for F = float or double
// runs eight at a time. The functions beside it exist for all three.
#pragma once
#include <immintrin.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <type_traits>

namespace attune {

struct Float8 {
  __m256 v;
  Float8() : v(_mm256_setzero_ps()) {}
  Float8(__m256 from) : v(from) {}
  Float8(float from) : v(_mm256_set1_ps(from)) {}
  static Float8 load(const float* at) { return _mm256_loadu_ps(at); }
  void store(float* at) const { _mm256_storeu_ps(at, v); }
};

inline Float8 operator+(Float8 a, Float8 b) { return _mm256_add_ps(a.v, b.v); }
inline Float8 operator-(Float8 a, Float8 b) { return _mm256_sub_ps(a.v, b.v); }
inline Float8 operator*(Float8 a, Float8 b) { return _mm256_mul_ps(a.v, b.v); }
inline Float8 operator/(Float8 a, Float8 b) { return _mm256_div_ps(a.v, b.v); }

inline Float8 square_root(Float8 a) { return _mm256_sqrt_ps(a.v); }
inline Float8 larger(Float8 a, Float8 b) { return _mm256_max_ps(a.v, b.v); }
inline Float8 magnitude(Float8 a) { return _mm256_andnot_ps(_mm256_set1_ps(-0.0F), a.v); }
inline Float8 with_sign_of(Float8 a, Float8 sign) {
  const __m256 bit = _mm256_set1_ps(-0.0F);
  return _mm256_or_ps(_mm256_andnot_ps(bit, a.v), _mm256_and_ps(bit, sign.v));
}
inline Float8 multiply_add(Float8 a, Float8 b, Float8 c) { return _mm256_fmadd_ps(a.v, b.v, c.v); }

template <class F>
F square_root(F a) {
  return std::sqrt(a);
}
template <class F>
F larger(F a, F b) {
  return std::max(a, b);
}
template <class F>
F magnitude(F a) {
  return std::abs(a);
}
template <class F>
F with_sign_of(F a, F sign) {
  return std::copysign(a, sign);
}

template <class F>
F constant(double number) {
  if constexpr (std::is_same_v<F, double>) {
    return number;
  } else {
    return F(static_cast<float>(number));
  }
}

// Sum of the eight.
inline float sum(Float8 a) {
  __m128 half = _mm_add_ps(_mm256_castps256_ps128(a.v), _mm256_extractf128_ps(a.v, 1));
  half = _mm_add_ps(half, _mm_movehl_ps(half, half));
  return _mm_cvtss_f32(_mm_add_ss(half, _mm_shuffle_ps(half, half, 1)));
}

// Lane i = sum of rows[i].
inline Float8 sums_of(const std::array<Float8, 8>& rows) {
  const __m256 a =
      _mm256_hadd_ps(_mm256_hadd_ps(rows[0].v, rows[1].v), _mm256_hadd_ps(rows[2].v, rows[3].v));
  const __m256 b =
      _mm256_hadd_ps(_mm256_hadd_ps(rows[4].v, rows[5].v), _mm256_hadd_ps(rows[6].v, rows[7].v));
  return _mm256_add_ps(_mm256_permute2f128_ps(a, b, 0x20), _mm256_permute2f128_ps(a, b, 0x31));
}

// Natural logarithm of positive, normal numbers, to a few parts in 10^7: the power of two, and the
// series of 2 artanh((m - 1) / (m + 1)) for what is left of it, m in [sqrt(1/2), sqrt(2)).
inline Float8 natural_log(Float8 a) {
  const __m256i bits = _mm256_castps_si256(a.v);
  const __m256i shifted = _mm256_sub_epi32(bits, _mm256_set1_epi32(0x3f3504f3));  // sqrt(1/2)
  const __m256i power = _mm256_srai_epi32(shifted, 23);
  const Float8 m = _mm256_castsi256_ps(_mm256_sub_epi32(bits, _mm256_slli_epi32(power, 23)));
  const Float8 s = (m - Float8(1.0F)) / (m + Float8(1.0F));
  const Float8 square = s * s;
  Float8 series = multiply_add(square, Float8(2.0F / 9), Float8(2.0F / 7));
  series = multiply_add(series, square, Float8(2.0F / 5));
  series = multiply_add(series, square, Float8(2.0F / 3));
  series = multiply_add(series, square, Float8(2.0F));
  return multiply_add(Float8(_mm256_cvtepi32_ps(power)), Float8(0.69314718F), s * series);
}

// To a few parts in 10^7, of numbers in [-87, 88] and of those beyond as of these: the power of two
// next to it, and the series of what is left, at most half of log 2 either way.
inline Float8 exponential(Float8 a) {
  const Float8 x = _mm256_min_ps(_mm256_set1_ps(88), _mm256_max_ps(_mm256_set1_ps(-87), a.v));
  const __m256 whole =
      _mm256_round_ps((x * Float8(1.44269504F)).v, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
  // log 2 in two parts, of which the first has few digits.
  Float8 left = multiply_add(Float8(whole), Float8(-0.693359375F), x);
  left = multiply_add(Float8(whole), Float8(2.12194440e-4F), left);
  Float8 series(1.0F / 5040);
  for (const float term : {1.0F / 720, 1.0F / 120, 1.0F / 24, 1.0F / 6, 0.5F, 1.0F, 1.0F}) {
    series = multiply_add(series, left, Float8(term));
  }
  const __m256i power = _mm256_slli_epi32(_mm256_cvtps_epi32(whole), 23);
  return _mm256_castsi256_ps(_mm256_add_epi32(_mm256_castps_si256(series.v), power));
}
// 1 / (1 + exp(-a)).
inline Float8 logistic(Float8 a) {
  return Float8(1.0F) / (Float8(1.0F) + exponential(Float8() - a));
}
inline Float8 hyperbolic_tangent(Float8 a) {
  return multiply_add(Float8(2.0F), logistic(a + a), Float8(-1.0F));
}
// The sum of a[i] b[i].
inline float inner_product(const float* a, const float* b, std::size_t n) {
  Float8 sums;
  std::size_t i = 0;
  for (; i + 8 <= n; i += 8) sums = multiply_add(Float8::load(a + i), Float8::load(b + i), sums);
  float all = sum(sums);
  for (; i < n; ++i) all += a[i] * b[i];
  return all;
}

// Four columns of eight rows: column c of row r is lane r of columns[c].
struct Columns8 {
  Float8 columns[4];
};
inline Columns8 turned(const Float8 pairs[4]) {
  const __m256 a = _mm256_unpacklo_ps(pairs[0].v, pairs[1].v);
  const __m256 b = _mm256_unpackhi_ps(pairs[0].v, pairs[1].v);
  const __m256 c = _mm256_unpacklo_ps(pairs[2].v, pairs[3].v);
  const __m256 d = _mm256_unpackhi_ps(pairs[2].v, pairs[3].v);
  return {{_mm256_shuffle_ps(a, c, 0x44), _mm256_shuffle_ps(a, c, 0xee),
           _mm256_shuffle_ps(b, d, 0x44), _mm256_shuffle_ps(b, d, 0xee)}};
}
// The first four floats of eight rows, and back.
inline Columns8 load_columns(float* const* rows) {
  Float8 pairs[4];
  for (int i = 0; i < 4; ++i) {
    pairs[i] = _mm256_insertf128_ps(_mm256_castps128_ps256(_mm_loadu_ps(rows[i])),
                                    _mm_loadu_ps(rows[i + 4]), 1);
  }
  return turned(pairs);
}
inline void store_columns(const Columns8& from, float* const* rows) {
  const Columns8 pairs = turned(from.columns);
  for (int i = 0; i < 4; ++i) {
    _mm_storeu_ps(rows[i], _mm256_castps256_ps128(pairs.columns[i].v));
    _mm_storeu_ps(rows[i + 4], _mm256_extractf128_ps(pairs.columns[i].v, 1));
  }
}
// AVX-512 has an instruction that finds what is there twice.
inline const bool kHasConflict =
    __builtin_cpu_supports("avx512cd") != 0 && __builtin_cpu_supports("avx512vl") != 0;
// Whether one row is there twice, so that the eight cannot be changed at once. Rows of one table:
// the lower half of the address tells.
inline bool has_twice(float* const* rows, bool has_conflict = kHasConflict) {
  const auto* at = reinterpret_cast<const __m256i*>(rows);
  const __m256 low = _mm256_shuffle_ps(_mm256_castsi256_ps(_mm256_loadu_si256(at)),
                                       _mm256_castsi256_ps(_mm256_loadu_si256(at + 1)), 0x88);
  const __m256i all = _mm256_castps_si256(low);
  __m256i found = _mm256_setzero_si256();
  if (has_conflict) {
    asm("vpconflictd %1, %0" : "=x"(found) : "x"(all));
    return _mm256_testz_si256(found, found) == 0;
  }
  const __m256i turns[4] = {
      _mm256_setr_epi32(1, 2, 3, 4, 5, 6, 7, 0), _mm256_setr_epi32(2, 3, 4, 5, 6, 7, 0, 1),
      _mm256_setr_epi32(3, 4, 5, 6, 7, 0, 1, 2), _mm256_setr_epi32(4, 5, 6, 7, 0, 1, 2, 3)};
  for (const __m256i turn : turns) {
    found = _mm256_or_si256(found, _mm256_cmpeq_epi32(all, _mm256_permutevar8x32_epi32(all, turn)));
  }
  return _mm256_testz_si256(found, found) == 0;
}

}  // namespace attune
