// How FieldModel learns: mini-batches, and the steps of ids, eight at a time.
#include <algorithm>
#include <array>
#include <cmath>

#include "base/prefetch_line.h"
#include "model/field_model.h"
#include "model/sigmoid.h"
#include "model/teaching.h"

namespace attune {
namespace {

constexpr std::size_t kLeastRounded = 16;  // rows: of fewer, making pairs costs what it saves
constexpr double kShareOfSeen = 1.0 / 16;  // rows of a step at most, of those learned before

}  // namespace

// Rows of one step all push from where none of them has pushed yet, and each pushes as far as it
// does alone: many at once go much too far while the accumulators are small.
std::size_t FieldModel::step_rows() const {
  const double most = std::max(rows_ * kShareOfSeen, 1.0);
  return most < static_cast<double>(batch_) ? static_cast<std::size_t>(most) : batch_;
}

void FieldModel::learn_range(const Examples& rows, std::size_t begin, std::size_t end,
                             std::span<float> before) {
  for (std::size_t begun = begin; begun < end;) {
    const std::size_t count = std::min(end - begun, step_rows());
    learn_batch(rows, begun, begun + count, before);
    begun += count;
  }
}

// What can be learned of the labels of a batch: weight 0 of a row that is not to be looked at.
void FieldModel::take_labels(const Examples& rows, std::size_t begun) {
  const std::size_t count = pass_.batch.rows, heads = this->heads();
  pass_.labels.resize(heads * count);
  pass_.weights.resize(count);
  for (std::size_t i = 0; i < count; ++i) {
    const float weight = rows.weight(begun + i);
    bool teaches = false;
    for (std::size_t h = 0; h < heads; ++h) {
      const float label = rows.label(begun + i, h);
      pass_.labels[h * count + i] = is_label(label, true) ? label : NAN;
      teaches = teaches || is_label(label, true);
    }
    pass_.weights[i] = teaches && is_row_weight(weight) ? weight : 0;
  }
}

// How many rows teach something.
std::size_t FieldModel::find_errors(const Examples& rows, std::size_t begun,
                                    std::span<float> before) {
  FieldBatch& batch = pass_.batch;
  std::size_t taught = 0;
  for (std::size_t i = 0; i < batch.rows; ++i) {
    const std::size_t r = begun + i;
    before[r] = probability(batch.logits[i]);
    if (!pass_.rows[i].is_allowed) {
      pass_.weights[i] = 0;
      continue;
    }
    ++taught;
    if (!joint_.is_joint()) batch.errors[i] = (before[r] - rows.labels[r]) * rows.weight(r);
  }
  if (joint_.is_joint()) {
    joint_.take({batch.heads, batch.rows, batch.logits, pass_.labels, pass_.weights}, batch.errors);
  }
  return taught;
}

void FieldModel::learn_batch(const Examples& rows, std::size_t begun, std::size_t end,
                             std::span<float> before) {
  const std::size_t count = end - begun;
  begin(pass_, count);
  take_labels(rows, begun);
  read_rows(rows, begun, end, pass_);
  for (std::size_t i = 0; i < count; ++i) {
    const std::size_t r = begun + i;
    Row coming = prefetch_places(rows, r, pass_);
    Gathered& row = pass_.rows[i];
    const Row features = row_of(rows, r, pass_);
    const bool teaches = pass_.weights[i] > 0;
    const bool is_allowed =
        teaches ? table_.take(features, row.found, coming) : table_.find(features, row.found);
    row.is_allowed = teaches && is_allowed;
    for (const auto& [at, hash] : row.found.fresh) start_row(at, hash);
    table_.pad(row.found);
    place(rows, r, pass_, row);
    table_.prefetch(coming);
    gather(row, pass_, i);
  }
  FieldBatch& batch = pass_.batch;
  batch.precision = count < kLeastRounded ? Precision::kSingle : precision_;
  interaction_->forward(batch);
  const std::size_t taught = find_errors(rows, begun, before);
  if (taught == 0) return;
  batch.begin_slopes();
  interaction_->backward(batch);
  add_member_slopes(batch);
  for (std::size_t i = 0; i < count; ++i) {
    if (!pass_.rows[i].is_allowed) continue;
    const float weight = pass_.weights[i], label = pass_.labels[i];
    const bool is_known = !std::isnan(label);
    const Push push{batch.errors[i] / weight, weight, is_known ? weight : 0, is_known ? label : 0};
    Gathered& row = pass_.rows[i];
    step_row(row, &batch.slopes[i * batch.row_chunks()], push);
    if (heads() == 1) continue;
    further_.step(row.found, plain_fields(row), row.further_rates, batch,
                  {i, weight, pass_.labels});
  }
  adam_.begin();
  const float scale = 1 / static_cast<float>(taught);
  for (AdamWeights* const weights : dense()) adam_.step(*weights, scale);
}

// What a sequence holds is part of the sum of its field.
void FieldModel::add_member_slopes(FieldBatch& batch) const {
  for (const Sequence& sequence : batch.sequences) {
    const Float8* const of_field = batch.slopes_of(sequence.row, sequence.field);
    for (std::size_t m = sequence.begin; m < sequence.end; ++m) {
      Float8* const slopes = &batch.member_slopes[m * chunks_];
      for (std::size_t c = 0; c < chunks_; ++c) slopes[c] = slopes[c] + of_field[c];
    }
  }
}

void FieldModel::step_row(Gathered& row, const Float8* slopes, const Push& push) {
  add_rate_gradient(row, push);
  row.fields.resize(row.found.count);  // what is padded, in field 0
  row.own.clear();
  const float* const values = values_of(row);
  for (std::size_t i = 0; push.weight != 1 && i < row.found.count; ++i) {
    row.own.push_back(values[i] / push.weight);
  }
  for (std::size_t i = 0; i < row.found.count; i += 8) {
    // The batch has driven them out of the nearest cache.
    for (std::size_t k = i + 8; k < std::min(i + 16, row.found.count); ++k) {
      prefetch_line(row.found.at[k]);
    }
    step_group(row, i, slopes, push);
  }
  count_row(push);
}

void FieldModel::add_rate_gradient(const Gathered& row, const Push& push) {
  std::vector<float>& gradient = rate_weights_.gradient;
  for (std::size_t i = 0; has_rates_ && i < plain_of(row); ++i) {
    gradient[row.fields[i]] += push.error * push.weight * row.rates[i];
  }
}

void FieldModel::count_row(const Push& push) {
  bias_squares_ += push.weight * push.error * push.error;
  bias_ -= bias_rate_ * push.weight * push.error / std::sqrt(1 + bias_squares_);
  rows_ += double{push.counted};
  ones_ += double{push.counted * push.label};
}

// step_vectors() of vectors of 8 numbers, which stay in registers.
[[gnu::always_inline]] inline Float8 FieldModel::step_short_vectors(float* const* at,
                                                                    const float* own,
                                                                    const Float8* const* slopes,
                                                                    const Push& push,
                                                                    Float8 squares) const {
  const Float8 l2(vector_l2_), weight(push.weight);
  std::array<float, 8> rates;
  std::array<Float8, 8> vectors, steps, sums;
#pragma GCC unroll 8
  for (std::size_t k = 0; k < 8; ++k) {
    vectors[k] = chunk(at[k], 0);
    steps[k] = multiply_add(Float8(own[k]), slopes[k][0], l2 * vectors[k]);
    sums[k] = steps[k] * steps[k];
  }
  const Float8 grown = weight * sums_of(sums) * Float8(1.0F / static_cast<float>(numbers_));
  (Float8(vector_rate_) * weight / square_root(Float8(1.0F) + squares + grown)).store(rates.data());
#pragma GCC unroll 8
  for (std::size_t k = 0; k < 8; ++k) {
    (vectors[k] - Float8(rates[k]) * steps[k]).store(at[k] + head_);
  }
  return grown;
}

// slopes: of the fields of the eight, of the weighted loss.
[[gnu::always_inline]] inline void FieldModel::step_eight(float* const* at, const Values& of,
                                                          const Float8* const* slopes,
                                                          const Push& push) const {
  auto [columns] = load_columns(at);
  const Float8 x = Float8::load(of.x), weight(push.weight);
  const Float8 gradient = Float8(push.error) * x;
  columns[2] = multiply_add(weight * gradient, gradient, columns[2]);
  columns[1] = columns[1] -
               Float8(weight_rate_) * weight * gradient / square_root(Float8(1.0F) + columns[2]);
  if (pieces_ == 1) {
    columns[3] =
        columns[3] + (chunks_ == 1 ? step_short_vectors(at, of.own, slopes, push, columns[3])
                                   : step_vectors(at, of.own, slopes, push, columns[3]));
  }
  store_columns({{columns[0], columns[1], columns[2], columns[3]}}, at);
  const __m128 seen = _mm_setr_ps(push.counted, push.counted * push.label, 0, 0);
  for (std::size_t k = 0; k < 8; ++k) {
    if (of.x[k] == 0) continue;
    auto* const counts = reinterpret_cast<__m64*>(at[k] + 4);
    _mm_storel_pi(counts, _mm_add_ps(_mm_loadl_pi(_mm_setzero_ps(), counts), seen));
  }
}

void FieldModel::step_group(Gathered& row, std::size_t i, const Float8* slopes, const Push& push) {
  FoundRows& found = row.found;
  const Float8* of_field[8];
  for (std::size_t k = 0; k < 8; ++k) of_field[k] = slopes_at(row, i + k, slopes);
  float* const* at = &found.at[i];
  const float* const own = row.own.empty() ? values_of(row) : row.own.data();
  const Values values{&found.x[i], own + i};
  if (pieces_ > 1) {
    for (std::size_t k = 0; k < 8 && i + k < found.size; ++k) {
      step_pieces(at[k], values.own[k], of_field[k], push.weight);
    }
  }
  if (!has_twice(at)) return step_eight(at, values, of_field, push);
  for (std::size_t one = 0; one < 8; ++one) {  // one at a time, beside rows nobody reads
    std::array<float*, 8> alone;
    for (std::size_t k = 0; k < 8; ++k) alone[k] = found.spare.data() + k * table_.width();
    const std::array<float, 8> x{values.x[one]}, x_own{values.own[one]};
    alone[0] = at[one];
    const Float8* first[8];
    std::fill_n(first, 8, of_field[one]);
    step_eight(alone.data(), {x.data(), x_own.data()}, first, push);
  }
}

// What the accumulators, so far `squares`, grow by.
Float8 FieldModel::step_vectors(float* const* at, const float* own_values,
                                const Float8* const* slopes, const Push& push,
                                Float8 squares) const {
  const Float8 l2(vector_l2_), weight(push.weight);
  std::array<Float8, 8> sums;
  for (std::size_t k = 0; k < 8; ++k) {
    const Float8 own(own_values[k]);
    for (std::size_t c = 0; c < chunks_; ++c) {
      const Float8 slope = multiply_add(own, slopes[k][c], l2 * chunk(at[k], c));
      sums[k] = multiply_add(slope, slope, sums[k]);
    }
  }
  const Float8 grown = weight * sums_of(sums) * Float8(1.0F / static_cast<float>(numbers_));
  std::array<float, 8> rates;
  (Float8(vector_rate_) * weight / square_root(Float8(1.0F) + squares + grown)).store(rates.data());
  for (std::size_t k = 0; k < 8; ++k) {
    const Float8 own(own_values[k]), rate(rates[k]);
    for (std::size_t c = 0; c < chunks_; ++c) {
      const Float8 v = chunk(at[k], c);
      (v - rate * multiply_add(own, slopes[k][c], l2 * v)).store(at[k] + head_ + 8 * c);
    }
  }
  return grown;
}

// One vector. x: by the weight of the row, as slopes hold it. All accumulators of a block first:
// while their roots are on the way the next are begun.
void FieldModel::step_pieces(float* row, float x, const Float8* slopes, float weight) const {
  constexpr std::size_t kAtOnce = 32;
  const Float8 own(x), l2(vector_l2_), by(vector_rate_ * weight);
  std::array<float, kAtOnce> rates;
  for (std::size_t begin = 0; begin < pieces_; begin += kAtOnce) {
    const std::size_t end = std::min(begin + kAtOnce, pieces_);
    for (std::size_t eight = begin; eight < end; eight += 8) {
      std::array<Float8, 8> sums;
      for (std::size_t p = eight; p < std::min(eight + 8, end); ++p) {
        const Float8 a = multiply_add(own, slopes[2 * p], l2 * chunk(row, 2 * p));
        const Float8 b = multiply_add(own, slopes[2 * p + 1], l2 * chunk(row, 2 * p + 1));
        sums[p - eight] = multiply_add(b, b, a * a);
      }
      float* const squares = row + kHead + eight;
      const Float8 grown = multiply_add(Float8(weight / 16), sums_of(sums), Float8::load(squares));
      grown.store(squares);
      (by / square_root(Float8(1.0F) + grown)).store(&rates[eight - begin]);
    }
    for (std::size_t c = 2 * begin; c < 2 * end; ++c) {
      const Float8 v = chunk(row, c), rate(rates[c / 2 - begin]);
      (v - rate * multiply_add(own, slopes[c], l2 * v)).store(row + head_ + 8 * c);
    }
  }
}

}  // namespace attune
