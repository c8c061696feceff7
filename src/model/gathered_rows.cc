#include "model/gathered_rows.h"

#include <immintrin.h>

#include <algorithm>
#include <cmath>

namespace attune {
namespace {

std::uint16_t to_half(float x) {
  return static_cast<std::uint16_t>(_cvtss_sh(x, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC));
}
float from_half(std::uint16_t half) { return _cvtsh_ss(half); }

void from_halves(const std::uint16_t* from, std::size_t count, float* to) {
  std::size_t i = 0;
  for (; i + 8 <= count; i += 8) {
    const auto eight = _mm_loadu_si128(reinterpret_cast<const __m128i*>(from + i));
    _mm256_storeu_ps(to + i, _mm256_cvtph_ps(eight));
  }
  for (; i < count; ++i) to[i] = from_half(from[i]);
}

}  // namespace

float rounded_to_half(float x) { return from_half(to_half(x)); }

float WeightedSum::of(std::span<const float> row) const {
  float sum = 0;
  for (std::size_t i = 0; i < factors.size(); ++i) sum += factors[i] * row[begin + i];
  return sum;
}

GatheredRows::GatheredRows(std::size_t half_columns, std::size_t single_columns,
                           std::uint64_t limit_bytes, bool has_groups)
    : half_columns_(half_columns),
      single_columns_(single_columns),
      has_groups_(has_groups),
      halves_(half_columns) {
  const std::uint64_t row_bytes =
      2 * half_columns + 4 * single_columns + (has_groups ? std::uint64_t{12} : 8);
  const std::uint64_t rows = limit_bytes / row_bytes / kChunkRows * kChunkRows;
  most_rows_ = static_cast<std::size_t>(std::max<std::uint64_t>(rows, 2 * kChunkRows));
}

void GatheredRows::add(std::span<const float> row, float label, float weight, std::uint32_t group) {
  if (seen_++ % stride_ != 0) return;
  if (rows_ == most_rows_) thin();
  if ((seen_ - 1) % stride_ != 0) return;
  for (std::size_t i = 0; i < half_columns_; ++i) halves_[i] = to_half(row[i]);
  append(halves_, row.subspan(half_columns_));
  labels_.push_back(label);
  weights_.push_back(weight);
  if (has_groups_) groups_.push_back(group);
}

void GatheredRows::append(std::span<const std::uint16_t> halves, std::span<const float> singles) {
  if (rows_ % kChunkRows == 0) {
    Chunk& fresh = chunks_.emplace_back();
    fresh.halves.reserve(kChunkRows * half_columns_);
    fresh.singles.reserve(kChunkRows * single_columns_);
  }
  Chunk& last = chunks_.back();
  last.halves.insert(last.halves.end(), halves.begin(), halves.end());
  last.singles.insert(last.singles.end(), singles.begin(), singles.end());
  ++rows_;
}

// Leaves every second row, the first among them.
void GatheredRows::thin() {
  std::vector<Chunk> old = std::move(chunks_);
  chunks_.clear();
  const std::size_t rows = rows_;
  rows_ = 0;
  for (std::size_t row = 0; row < rows; row += 2) {
    const Chunk& from = old[row / kChunkRows];
    const std::size_t at = row % kChunkRows;
    append(std::span(from.halves).subspan(at * half_columns_, half_columns_),
           std::span(from.singles).subspan(at * single_columns_, single_columns_));
    labels_[row / 2] = labels_[row];
    weights_[row / 2] = weights_[row];
    if (has_groups_) groups_[row / 2] = groups_[row];
    if (at + 2 >= kChunkRows) old[row / kChunkRows] = {};
  }
  labels_.resize(rows_);
  weights_.resize(rows_);
  if (has_groups_) groups_.resize(rows_);
  stride_ *= 2;
}

void GatheredRows::fill_missing(std::span<const float> by) {
  for (Chunk& chunk : chunks_) {
    for (std::size_t at = 0; at < chunk.singles.size(); ++at) {
      float& number = chunk.singles[at];
      if (std::isnan(number)) number = by[half_columns_ + at % single_columns_];
    }
  }
}

void GatheredRows::copy(std::span<const std::uint32_t> rows, std::span<float> out,
                        bool has_sums) const {
  const std::size_t made = has_sums ? sums_.size() : 0;
  for (const std::uint32_t row : rows) {
    const Chunk& from = chunks_[row / kChunkRows];
    const std::size_t at = row % kChunkRows;
    from_halves(from.halves.data() + at * half_columns_, half_columns_, out.data());
    std::copy_n(from.singles.data() + at * single_columns_, single_columns_,
                out.data() + half_columns_);
    for (std::size_t i = 0; i < made; ++i) out[given() + i] = sums_[i].of(out);
    out = out.subspan(given() + made);
  }
}

std::size_t GatheredRows::memory_bytes() const {
  return chunks_.size() * kChunkRows * (2 * half_columns_ + 4 * single_columns_) +
         (labels_.capacity() + weights_.capacity() + groups_.capacity()) * sizeof(float);
}

}  // namespace attune
