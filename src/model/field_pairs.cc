#include "model/field_pairs.h"

#include <algorithm>
#include <array>
#include <optional>

#include "model/bfloat16.h"
#include "model/field_pairs_bfloat16.h"

namespace attune {
namespace {

constexpr std::size_t kTile = 3;  // fields; with 4 rows, what registers hold

// The sum of a[i] * b[i], of several sums, so that none waits for the one before.
Float8 product(const Float8* a, const Float8* b, std::size_t count) {
  std::array<Float8, 4> sums;
  std::size_t i = 0;
  for (; i + 4 <= count; i += 4) {
    for (std::size_t k = 0; k < 4; ++k) sums[k] = multiply_add(a[i + k], b[i + k], sums[k]);
  }
  for (; i < count; ++i) sums[0] = multiply_add(a[i], b[i], sums[0]);
  return sums[0] + sums[1] + (sums[2] + sums[3]);
}

// Lane i = the sum over fields of <V, U> of chunk i. u: (fields, 8).
Float8 products(const EightChunks& own, std::size_t step, const Float8* u, std::size_t fields) {
  std::array<Float8, 8> sums;
  for (std::size_t f = 0; f < fields; ++f) {
    for (std::size_t i = 0; i < 8; ++i) {
      sums[i] = multiply_add(own[i][f * step], u[f * 8 + i], sums[i]);
    }
  }
  return sums_of(sums);
}

// U of three fields, whose lines of R these are, of four chunks.
void weigh(const Float8* const* own, std::size_t step, const float* weights, std::size_t fields,
           Float8* out) {
  Float8 sums[kTile][4];
  for (std::size_t h = 0; h < fields; ++h) {
    for (std::size_t i = 0; i < kTile; ++i) {
      const Float8 weight(weights[i * fields + h]);
      for (std::size_t j = 0; j < 4; ++j) {
        sums[i][j] = multiply_add(weight, own[j][h * step], sums[i][j]);
      }
    }
  }
  for (std::size_t i = 0; i < kTile; ++i) {
    for (std::size_t j = 0; j < 4; ++j) out[i * 8 + j] = sums[i][j];
  }
}

bool is_rounded(const FieldBatch& batch) {
  return batch.precision == Precision::kBfloat16 && has_bfloat16();
}

}  // namespace

// Of what is kept: U, of eight chunks of rows side by side field after field; then error * V.
FieldPairs::FieldPairs(std::size_t fields, std::size_t used, float start, float rate_factor,
                       std::size_t slot)
    : fields_(fields), slot_(slot) {
  weights_.resize(fields * fields);
  weights_.rate_factor = rate_factor;
  for (std::size_t f = 0; f < used; ++f) {
    for (std::size_t h = 0; h < used; ++h) weights_.w[f * fields + h] = f == h ? 0 : start;
  }
}

void FieldPairs::forward(FieldBatch& batch) const {
  const std::size_t chunks = batch.chunks, all = batch.rows * chunks;
  Float8* const weighed = batch.keep(slot_, (all + 7) / 8 * 8 * fields_);
  std::optional<RoundedWeights> rounded;
  if (is_rounded(batch)) rounded.emplace(weights_.w.data(), fields_);
  for (std::size_t at = 0; at < all; at += 8) {
    const EightChunks own = batch.eight_chunks(at);
    Float8* const out = weighed + at * fields_;
    rounded ? rounded->weigh(own, chunks, out) : weigh_eight(own, chunks, out);
    float sums[8];
    products(own, chunks, out, fields_).store(sums);
    for (std::size_t i = at; i < std::min(at + 8, all); ++i) {
      batch.logits[i / chunks] += 0.5F * sums[i - at];
    }
  }
}

void FieldPairs::backward(FieldBatch& batch) {
  add_slopes(batch);
  is_rounded(batch) ? add_gradients_bfloat16(batch) : add_gradients(batch);
}

void FieldPairs::weigh_eight(const EightChunks& own, std::size_t step, Float8* out) const {
  for (std::size_t f = 0; f < fields_; f += kTile) {
    const float* const weights = &weights_.w[f * fields_];
    weigh(&own[0], step, weights, fields_, out + f * 8);
    weigh(&own[4], step, weights, fields_, out + f * 8 + 4);
  }
}

void FieldPairs::add_slopes(FieldBatch& batch) const {
  std::size_t i = 0;  // chunk
  for (std::size_t row = 0; row < batch.rows; ++row) {
    const Float8 error(batch.errors[row]);
    for (std::size_t c = 0; c < batch.chunks; ++c, ++i) {
      const Float8* const weighed = &batch.kept[slot_][i / 8 * 8 * fields_ + i % 8];
      Float8* const slopes = &batch.slopes[row * batch.row_chunks() + c];
      for (std::size_t f = 0; f < fields_; ++f) {
        Float8& slope = slopes[f * batch.chunks];
        slope = multiply_add(error, weighed[f * 8], slope);
      }
    }
  }
}

void FieldPairs::add_gradients(FieldBatch& batch) {
  Float8* const scaled = batch.keep(slot_ + 1, batch.vectors.size());
  for (std::size_t row = 0; row < batch.rows; ++row) {
    const Float8 error(batch.errors[row]);
    const std::size_t at = row * batch.row_chunks();
    for (std::size_t i = at; i < at + batch.row_chunks(); ++i) scaled[i] = error * batch.vectors[i];
  }
  for (std::size_t f = 0; f < fields_; f += kTile) {
    for (std::size_t h = f; h < fields_; h += kTile) add_gradient(batch, f, h);
  }
}

// Both of a pair are the same.
void FieldPairs::add_gradients_bfloat16(const FieldBatch& batch) {
  float* const gradient = weights_.gradient.data();
  add_pairs_bfloat16(batch, gradient);
  for (std::size_t f = 0; f < fields_; ++f) {
    for (std::size_t h = 0; h < f; ++h) gradient[f * fields_ + h] = gradient[h * fields_ + f];
  }
}

// <error V_f, V_h> summed over the rows, of three fields by three, and mirrored.
void FieldPairs::add_gradient(const FieldBatch& batch, std::size_t f, std::size_t h) {
  Float8 sums[kTile][kTile];
  const std::size_t chunks = batch.chunks, step = batch.row_chunks();
  for (std::size_t row = 0; row < batch.rows; ++row) {
    const Float8* const left = &batch.kept[slot_ + 1][row * step + f * chunks];
    const Float8* const right = &batch.vectors[row * step + h * chunks];
    for (std::size_t c = 0; c < chunks; ++c) {
      const Float8 b[kTile] = {right[c], right[chunks + c], right[2 * chunks + c]};
      for (std::size_t i = 0; i < kTile; ++i) {
        const Float8 a = left[i * chunks + c];
        for (std::size_t j = 0; j < kTile; ++j) sums[i][j] = multiply_add(a, b[j], sums[i][j]);
      }
    }
  }
  std::vector<float>& gradient = weights_.gradient;
  for (std::size_t i = 0; i < kTile; ++i) {
    for (std::size_t j = 0; j < kTile; ++j) {
      if (f + i == h + j) continue;
      const float slope = sum(sums[i][j]);
      gradient[(f + i) * fields_ + h + j] += slope;
      if (f != h) gradient[(h + j) * fields_ + f + i] += slope;
    }
  }
}

// Kept: S_h,f where S_f,h stands, 0 for h = f.
void FieldAware::forward(FieldBatch& batch) const {
  Float8* const turned = batch.keep(0, batch.rows * batch.row_chunks());
  const std::size_t line = batch.chunks * 8;
  for (std::size_t r = 0; r < batch.rows; ++r) {
    const std::size_t at = r * batch.row_chunks();
    const auto* const own = reinterpret_cast<const float*>(&batch.vectors[at]);
    auto* const others = reinterpret_cast<float*>(turned + at);
    batch.logits[r] += k_ == 4 ? turn_fours(own, others, line) : turn(own, others, line);
  }
}

void FieldAware::backward(FieldBatch& batch) {
  for (std::size_t r = 0; r < batch.rows; ++r) {
    const Float8 error(batch.errors[r]);
    const std::size_t begin = r * batch.row_chunks();
    for (std::size_t i = begin; i < begin + batch.row_chunks(); ++i) {
      batch.slopes[i] = multiply_add(error, batch.kept[0][i], batch.slopes[i]);
    }
  }
}

// The logit. line: numbers of a field's vector.
float FieldAware::turn(const float* own, float* others, std::size_t line) const {
  const std::size_t used = fields_ * k_;
  for (std::size_t f = 0; f < fields_; ++f) {
    for (std::size_t h = 0; h < fields_; ++h) {
      for (std::size_t i = 0; i < k_; i += 4) {
        _mm_storeu_ps(others + f * line + h * k_ + i, _mm_loadu_ps(own + h * line + f * k_ + i));
      }
    }
    std::fill_n(others + f * line + f * k_, k_, 0.0F);
    std::fill_n(others + f * line + used, line - used, 0.0F);
  }
  const auto* const a = reinterpret_cast<const Float8*>(own);
  const auto* const b = reinterpret_cast<const Float8*>(others);
  return 0.5F * sum(product(a, b, fields_ * line / 8));
}

// The same of k = 4: two fields by two at a time, each pair multiplied once. A line has an even
// number of places for fields.
float FieldAware::turn_fours(const float* own, float* others, std::size_t line) const {
  const auto at = [line](auto* numbers, std::size_t f, std::size_t h) {
    return numbers + f * line + h * 4;
  };
  Float8 sums[2];
  for (std::size_t f = 0; f < fields_; f += 2) {
    const std::size_t both = std::min<std::size_t>(fields_ - f, 2);
    for (std::size_t h = 0; h + 1 < fields_; h += 2) {
      const __m256 a = _mm256_load_ps(at(own, h, f)), b = _mm256_load_ps(at(own, h + 1, f));
      const __m256 turned[2] = {_mm256_permute2f128_ps(a, b, 0x20),
                                _mm256_permute2f128_ps(a, b, 0x31)};
      for (std::size_t i = 0; i < both; ++i) {
        _mm256_store_ps(at(others, f + i, h), turned[i]);
        if (h > f) {
          sums[i] = multiply_add(Float8::load(at(own, f + i, h)), Float8(turned[i]), sums[i]);
        }
      }
    }
  }
  return sum(sums[0] + sums[1]) + turn_rest(own, others, line);
}

// What turn_fours() leaves: the last of an odd number of fields, pairs of an even field and the
// next, and what is 0.
float FieldAware::turn_rest(const float* own, float* others, std::size_t line) const {
  const auto at = [line](auto* numbers, std::size_t f, std::size_t h) {
    return numbers + f * line + h * 4;
  };
  const std::size_t even = fields_ / 2 * 2;
  __m128 sums = _mm_setzero_ps();
  const auto add = [&](std::size_t f, std::size_t h) {
    sums = _mm_fmadd_ps(_mm_load_ps(at(own, f, h)), _mm_load_ps(at(own, h, f)), sums);
  };
  for (std::size_t f = 0; f < even; f += 2) add(f, f + 1);
  for (std::size_t f = 0; even < fields_ && f < even; ++f) {
    _mm_store_ps(at(others, f, even), _mm_load_ps(at(own, even, f)));
    add(f, even);
  }
  for (std::size_t f = 0; f < fields_; ++f) {
    std::fill_n(at(others, f, f), 4, 0.0F);
    std::fill(at(others, f, fields_), at(others, f + 1, 0), 0.0F);
  }
  sums = _mm_add_ps(sums, _mm_movehl_ps(sums, sums));
  return _mm_cvtss_f32(_mm_add_ss(sums, _mm_movehdup_ps(sums)));
}

// Kept: the sum of a row's vectors. 1/2 (|sum|^2 - sum of |V_f|^2).
void AllPairs::forward(FieldBatch& batch) const {
  Float8* const sums = batch.keep(slot_, batch.rows * batch.chunks);
  for (std::size_t r = 0; r < batch.rows; ++r) {
    const Float8* const vectors = &batch.vectors[r * batch.row_chunks()];
    Float8 pairs;
    for (std::size_t c = 0; c < batch.chunks; ++c) {
      Float8 total, squares;
      for (std::size_t f = 0; f < batch.fields; ++f) {
        const Float8 v = vectors[f * batch.chunks + c];
        total = total + v;
        squares = multiply_add(v, v, squares);
      }
      sums[r * batch.chunks + c] = total;
      pairs = pairs + (total * total - squares);
    }
    batch.logits[r] += 0.5F * sum(pairs);
  }
}

void AllPairs::backward(FieldBatch& batch) {
  for (std::size_t r = 0; r < batch.rows; ++r) {
    const Float8 error(batch.errors[r]);
    const Float8* const sums = &batch.kept[slot_][r * batch.chunks];
    const std::size_t at = r * batch.row_chunks();
    for (std::size_t i = 0; i < batch.row_chunks(); ++i) {
      const Float8 rest = sums[i % batch.chunks] - batch.vectors[at + i];
      batch.slopes[at + i] = multiply_add(error, rest, batch.slopes[at + i]);
    }
  }
}

}  // namespace attune
