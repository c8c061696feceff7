#include "model/field_model.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "model/sigmoid.h"
#include "model/start_vector.h"
#include "model/teaching.h"

namespace attune {
namespace {

// Floats of a row before its vector: the table's own word, w, the accumulators of w and of the
// vector, rows and ones seen, 1 unused, 1 of the table's when several threads learn; with several
// pieces, then their accumulators; of several tasks, then what further heads have.
constexpr std::size_t kHead = 8;
constexpr std::size_t kAhead = 1;  // row, so that memory is there in time, and not long before
constexpr float kSmoothing = 10;   // rows of all that the rate of an id starts with
constexpr std::size_t kLeastRounded = 16;  // rows: of fewer, making pairs costs what it saves
constexpr double kShareOfSeen = 1.0 / 16;  // rows of a step at most, of those learned before

std::size_t head_of(std::size_t pieces, std::size_t heads) {
  const std::size_t further = FurtherHeads::floats(heads);
  return kHead + further + (pieces == 1 ? 0 : (pieces + 7) / 8 * 8);
}

}  // namespace

std::size_t FieldModel::fields_of(const ModelOptions& options) {
  return (std::max<std::size_t>(options.inputs, 1) + 2) / 3 * 3;
}

FieldModel::FieldModel(const ModelOptions& options, std::span<const double> v, VectorShape shape,
                       std::unique_ptr<Interaction> interaction)
    : ReplicatedModel(options),
      fields_(fields_of(options)),
      chunks_(shape.chunks),
      numbers_(shape.numbers),
      batch_(static_cast<std::size_t>(v[6])),
      pieces_(shape.chunks / shape.piece),
      head_(head_of(pieces_, heads())),
      weight_rate_(static_cast<float>(v[1])),
      vector_rate_(static_cast<float>(v[2])),
      deviation_(static_cast<float>(v[3])),
      vector_l2_(static_cast<float>(v[4])),
      bias_rate_(static_cast<float>(v[5])),
      has_rates_(v[8] != 0),
      interaction_(std::move(interaction)),
      table_(options, (head_ + 8 * chunks_ + 15) / 16 * 16),
      adam_(v[7], 0.9, 0.999, 0),
      joint_(options),
      further_(heads(), fields_, kHead, {weight_rate_, bias_rate_, has_rates_}) {
  rate_weights_.resize(fields_);
}

Status FieldModel::usable() const {
  if (options().inputs == 0 || options().inputs > kMostFields) {
    return Error{Code::kInvalid,
                 fmt::format("{}: inputs is {}, must be the number of fields of a row, at most {}",
                             options().kind, options().inputs, kMostFields),
                 "inputs"};
  }
  if (!interaction_) {
    return Error{Code::kInvalid,
                 fmt::format("{}: its layers have more than 16,777,216 weights", options().kind),
                 "hidden", "fewer hidden units, or a smaller k"};
  }
  return table_.usable();
}

std::size_t FieldModel::memory_bytes() const {
  return table_.memory_bytes() + interaction_->memory_bytes();
}

std::size_t FieldModel::most_memory_bytes() const {
  return table_.most_memory_bytes() + interaction_->memory_bytes();
}

float FieldModel::base_rate() const { return static_cast<float>((ones_ + 1) / (rows_ + 2)); }

// Of rows to come: what the table has of a row, and where that is of one further ahead.
void FieldModel::prefetch(const Examples& rows, std::size_t row, std::size_t end) const {
  if (row + 2 * kAhead < end) {
    table_.prefetch_places(rows.row(row + 2 * kAhead));
  }
  if (row + kAhead >= end) return;
  table_.prefetch(rows.row(row + kAhead));
}

void FieldModel::begin(Pass& pass, std::size_t rows) const {
  pass.batch.fields = fields_;
  pass.batch.chunks = chunks_;
  pass.batch.heads = heads();
  pass.batch.begin(rows);
  if (pass.rows.size() < rows) pass.rows.resize(rows);
}

// The fields of what was found.
void FieldModel::place(const Examples& rows, std::size_t r, Gathered& to) const {
  const auto fields = rows.fields_of(r);
  const std::uint16_t last = last_field();
  to.fields.resize(to.found.count);
  if (to.found.from.empty()) {
    for (std::size_t i = 0; i < to.found.size; ++i) to.fields[i] = std::min(fields[i], last);
  } else {
    for (std::size_t i = 0; i < to.found.size; ++i) {
      to.fields[i] = std::min(fields[to.found.from[i]], last);
    }
  }
}

// Counts stand in the second four floats of a row.
void FieldModel::read_rates(Gathered& of) const {
  const float p = base_rate();
  const Float8 ones(kSmoothing * p), zeros(kSmoothing * (1 - p));
  const Float8 all =
      natural_log(ones / zeros);  // so that the rate of an unseen id is 0, to the bit
  of.rates.resize(of.found.count);
  for (std::size_t i = 0; i < of.found.count; i += 8) {
    float* counts[8];
    for (std::size_t k = 0; k < 8; ++k) counts[k] = of.found.at[i + k] + 4;
    const auto [columns] = load_columns(counts);
    // Threads that share rows (Hogwild) may lose one seen and keep its label.
    const Float8 missed = larger(columns[0] - columns[1], Float8());
    const Float8 rate = natural_log((columns[1] + ones) / (missed + zeros));
    (rate - all).store(&of.rates[i]);
  }
}

// The linear part of the logit, and the vectors of the fields.
void FieldModel::gather(Gathered& from, Pass& pass, std::size_t at) const {
  const FoundRows& found = from.found;
  Float8 linear;
  for (std::size_t i = 0; i < found.count; i += 8) {
    linear = multiply_add(Float8::load(&found.first[i]), Float8::load(&found.x[i]), linear);
  }
  float logit = bias_ + sum(linear);
  if (has_rates_) {
    read_rates(from);
    for (std::size_t i = 0; i < found.size; ++i) {
      logit += rate_weights_.w[from.fields[i]] * from.rates[i];
    }
  }
  pass.batch.logits[at] = logit;
  further_.add_logits(found, from.fields, from.further_rates, pass.batch, at);
  sum_vectors(from, &pass.batch.vectors[at * pass.batch.row_chunks()]);
}

// Features mostly come in the order of their fields: the first of a field writes, later ones add.
void FieldModel::sum_vectors(const Gathered& from, Float8* vectors) const {
  const FoundRows& found = from.found;
  std::size_t begun = 0;  // fields below it have a sum
  for (std::size_t i = 0; i < found.size; ++i) {
    const Float8 x(found.x[i]);
    const std::size_t field = from.fields[i];
    Float8* const to = vectors + field * chunks_;
    if (field < begun) {
      for (std::size_t c = 0; c < chunks_; ++c) {
        to[c] = multiply_add(x, chunk(found.at[i], c), to[c]);
      }
      continue;
    }
    std::fill(vectors + begun * chunks_, to, Float8());
    for (std::size_t c = 0; c < chunks_; ++c) to[c] = x * chunk(found.at[i], c);
    begun = field + 1;
  }
  std::fill(vectors + begun * chunks_, vectors + fields_ * chunks_, Float8());
}

void FieldModel::predict_batch(const Examples& rows, std::size_t begun, Pass& pass) const {
  const std::size_t count = std::min(rows.size() - begun, batch_);
  begin(pass, count);
  for (std::size_t i = 0; i < count; ++i) {
    prefetch(rows, begun + i, rows.size());
    Gathered& row = pass.rows[i];
    (void)table_.find(rows.row(begun + i), row.found);  // none is found of what is not allowed
    table_.pad(row.found);
    place(rows, begun + i, row);
    gather(row, pass, i);
  }
  interaction_->forward(pass.batch);
}

void FieldModel::predict(const Examples& rows, std::span<float> out) const {
  Pass pass;
  for (std::size_t begun = 0; begun < rows.size(); begun += batch_) {
    predict_batch(rows, begun, pass);
    for (std::size_t i = 0; i < pass.batch.rows; ++i) {
      out[begun + i] = probability(pass.batch.logits[i]);
    }
  }
}

void FieldModel::predict_heads(const Examples& rows, std::span<float> out) const {
  Pass pass;
  const std::size_t heads = this->heads();
  for (std::size_t begun = 0; begun < rows.size(); begun += batch_) {
    predict_batch(rows, begun, pass);
    for (std::size_t i = 0; i < heads * pass.batch.rows; ++i) {
      const std::size_t head = i / pass.batch.rows, row = begun + i % pass.batch.rows;
      out[row * heads + head] = probability(pass.batch.logits[i]);
    }
  }
}

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

FieldModel::RowParts FieldModel::row_parts() const {
  RowParts parts{2, 7, std::vector<bool>(table_.width(), true)};
  for (std::size_t i = 2; i < head_; ++i) parts.is_weight[i] = false;
  return parts;
}

FieldModel::Numbers FieldModel::numbers() const {
  return {double{bias_}, double{bias_squares_}, rows_, ones_};
}

void FieldModel::set(const Numbers& numbers) {
  bias_ = static_cast<float>(numbers.bias);
  bias_squares_ = static_cast<float>(numbers.squares);
  rows_ = numbers.rows;
  ones_ = numbers.ones;
}

void FieldModel::start_row(float* row, std::uint32_t hash) const {
  start_vector(row + head_, numbers_, deviation_, options().seed, hash);
}

std::vector<AdamWeights*> FieldModel::dense() {
  std::vector<AdamWeights*> all = interaction_->weights();
  all.push_back(&rate_weights_);
  if (heads() > 1) all.push_back(further_.rate_weights());
  return all;
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
  for (std::size_t i = 0; i < count; ++i) {
    const std::size_t r = begun + i;
    prefetch(rows, r, rows.size());
    Gathered& row = pass_.rows[i];
    const bool teaches = pass_.weights[i] > 0;
    const bool is_allowed =
        teaches ? table_.take(rows.row(r), row.found) : table_.find(rows.row(r), row.found);
    row.is_allowed = teaches && is_allowed;
    for (const auto& [at, hash] : row.found.fresh) start_row(at, hash);
    table_.pad(row.found);
    place(rows, r, row);
    gather(row, pass_, i);
  }
  FieldBatch& batch = pass_.batch;
  batch.precision = count < kLeastRounded ? Precision::kSingle : precision_;
  interaction_->forward(batch);
  const std::size_t taught = find_errors(rows, begun, before);
  if (taught == 0) return;
  batch.begin_slopes();
  interaction_->backward(batch);
  for (std::size_t i = 0; i < count; ++i) {
    if (!pass_.rows[i].is_allowed) continue;
    const float weight = pass_.weights[i], label = pass_.labels[i];
    const bool is_known = !std::isnan(label);
    const Push push{batch.errors[i] / weight, weight, is_known ? weight : 0, is_known ? label : 0};
    Gathered& row = pass_.rows[i];
    step_row(row, &batch.slopes[i * batch.row_chunks()], push);
    if (heads() == 1) continue;
    further_.step(row.found, row.fields, row.further_rates, batch, {i, weight, pass_.labels});
  }
  adam_.begin();
  const float scale = 1 / static_cast<float>(taught);
  for (AdamWeights* const weights : dense()) adam_.step(*weights, scale);
}

void FieldModel::step_row(Gathered& row, const Float8* slopes, const Push& push) {
  add_rate_gradient(row, push);
  row.fields.resize(row.found.count);  // what is padded, in field 0
  row.own.clear();
  for (std::size_t i = 0; push.weight != 1 && i < row.found.count; ++i) {
    row.own.push_back(row.found.x[i] / push.weight);
  }
  for (std::size_t i = 0; i < row.found.count; i += 8) step_group(row, i, slopes, push);
  count_row(push);
}

void FieldModel::add_rate_gradient(const Gathered& row, const Push& push) {
  std::vector<float>& gradient = rate_weights_.gradient;
  for (std::size_t i = 0; has_rates_ && i < row.found.size; ++i) {
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
  for (std::size_t k = 0; k < 8; ++k) of_field[k] = slopes + row.fields[i + k] * chunks_;
  float* const* at = &found.at[i];
  const float* const own = row.own.empty() ? found.x.data() : row.own.data();
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

void FieldModel::encode_state(ModelSink& sink) const {
  Writer w(sink.out);
  for (const float number : {bias_, bias_squares_}) w.f32(number);
  for (const double number : {rows_, ones_, adam_.powers[0], adam_.powers[1]}) w.f64(number);
  for (const double* number : const_cast<FieldModel*>(this)->further_.numbers()) w.f64(*number);
  for (const AdamWeights* const weights : const_cast<FieldModel*>(this)->dense()) {
    for (const auto* part : weights->state()) {
      for (const float number : *part) w.f32(number);
      sink.drain_if_long();
    }
  }
  table_.encode(sink);
}

bool FieldModel::restore(ModelSource& source) {
  for (float* const number : {&bias_, &bias_squares_}) *number = source.reader.f32();
  for (double* const number : {&rows_, &ones_, &adam_.powers[0], &adam_.powers[1]}) {
    *number = source.reader.f64();
  }
  for (double* const number : further_.numbers()) *number = source.reader.f64();
  for (AdamWeights* const weights : dense()) {
    for (auto* part : weights->state()) {
      for (float& number : *part) number = source.reader.f32();
    }
  }
  return source.reader.ok() && table_.restore(source);
}

}  // namespace attune
