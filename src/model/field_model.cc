#include "model/field_model.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "model/sigmoid.h"
#include "model/start_vector.h"
#include "model/teaching.h"

namespace attune {
namespace {

constexpr float kSmoothing = 10;  // rows of all that the rate of an id starts with

std::size_t head_of(std::size_t pieces, std::size_t heads) {
  const std::size_t further = FurtherHeads::floats(heads);
  return FieldModel::kHead + further + (pieces == 1 ? 0 : (pieces + 7) / 8 * 8);
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

void FieldModel::begin(Pass& pass, std::size_t rows) const {
  pass.batch.fields = fields_;
  pass.batch.chunks = chunks_;
  pass.batch.heads = heads();
  pass.batch.begin(rows);
  if (pass.rows.size() < rows) pass.rows.resize(rows);
}

void FieldModel::read_rows(const Examples& rows, std::size_t begin, std::size_t end,
                           Pass& pass) const {
  constexpr std::size_t kAhead = 2;
  if (!has_sequences()) return;
  pass.apart.read(rows, begin, std::min(end + kAhead, rows.size()), options().sequences);
}

// The fields of what was found.
void FieldModel::place(const Examples& rows, std::size_t r, Pass& pass, Gathered& to) const {
  if (has_sequences()) return place_apart(r, pass, to);
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

// Of what has sequences. found.x, padded, loses what they hold.
void FieldModel::place_apart(std::size_t r, Pass& pass, Gathered& to) const {
  const auto fields = pass.apart.fields_of(r);
  const std::size_t plain = pass.apart.plain(r);
  const std::uint16_t last = last_field();
  to.plain = 0;
  to.fields.resize(to.found.count);
  to.x.assign(to.found.x.begin(), to.found.x.begin() + static_cast<long>(to.found.count));
  for (std::size_t i = 0; i < to.found.size; ++i) {
    const std::size_t feature = to.found.feature_of(i);
    to.fields[i] = std::min(fields[feature], last);
    if (feature < plain) {
      to.plain = i + 1;
    } else {
      to.found.x[i] = 0;
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
    for (std::size_t i = 0; i < plain_of(from); ++i) {
      logit += rate_weights_.w[from.fields[i]] * from.rates[i];
    }
  }
  pass.batch.logits[at] = logit;
  further_.add_logits(found, plain_fields(from), from.further_rates, pass.batch, at);
  sum_vectors(from, &pass.batch.vectors[at * pass.batch.row_chunks()]);
  if (has_sequences()) add_sequences(from, pass, at);
}

// What sequences hold, one by one.
void FieldModel::add_sequences(Gathered& from, Pass& pass, std::size_t at) const {
  FieldBatch& batch = pass.batch;
  const std::size_t first = batch.members.size() / chunks_;
  from.members = first;
  for (std::size_t i = from.plain; i < from.found.size; ++i) {
    const auto member = static_cast<std::uint32_t>(first + i - from.plain);
    const bool is_new = i == from.plain || from.fields[i] != from.fields[i - 1];
    if (is_new) {
      batch.sequences.push_back({static_cast<std::uint32_t>(at), from.fields[i], member, member});
    }
    ++batch.sequences.back().end;
    const Float8 x(from.x[i]);
    for (std::size_t c = 0; c < chunks_; ++c) {
      batch.members.push_back(x * chunk(from.found.at[i], c));
    }
  }
}

// Features mostly come in the order of their fields: the first of a field writes, later ones add.
void FieldModel::sum_vectors(const Gathered& from, Float8* vectors) const {
  const FoundRows& found = from.found;
  const float* const values = values_of(from);
  std::size_t begun = 0;  // fields below it have a sum
  for (std::size_t i = 0; i < found.size; ++i) {
    const Float8 x(values[i]);
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
  read_rows(rows, begun, begun + count, pass);
  for (std::size_t i = 0; i < count; ++i) {
    table_.prefetch(prefetch_places(rows, begun + i, pass));
    Gathered& row = pass.rows[i];
    // None is found of what is not allowed.
    (void)table_.find(row_of(rows, begun + i, pass), row.found);
    table_.pad(row.found);
    place(rows, begun + i, pass, row);
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

FieldModel::RowParts FieldModel::row_parts() const {
  RowParts parts{2, 7, std::vector<bool>(table_.width(), true)};
  for (std::size_t i = 2; i < head_; ++i) parts.is_weight[i] = false;
  for (std::size_t h = 1; h < heads(); ++h) parts.is_weight[further_.weight_at(h - 1)] = true;
  return parts;
}

std::vector<FieldModel::Numbers> FieldModel::numbers() const {
  std::vector<Numbers> all{{double{bias_}, double{bias_squares_}, rows_, ones_}};
  const std::vector<double*> of = const_cast<FieldModel*>(this)->further_.numbers();
  for (std::size_t i = 0; i < of.size(); i += 4) {
    all.push_back({*of[i], *of[i + 1], *of[i + 2], *of[i + 3]});
  }
  return all;
}

void FieldModel::set(std::span<const Numbers> numbers) {
  bias_ = static_cast<float>(numbers[0].bias);
  bias_squares_ = static_cast<float>(numbers[0].squares);
  rows_ = numbers[0].rows;
  ones_ = numbers[0].ones;
  const std::vector<double*> further = further_.numbers();
  for (std::size_t h = 1; h < numbers.size(); ++h) {
    double* const* const to = &further[4 * (h - 1)];
    *to[0] = numbers[h].bias;
    *to[1] = numbers[h].squares;
    *to[2] = numbers[h].rows;
    *to[3] = numbers[h].ones;
  }
}

void FieldModel::take_losses(ReplicatedModel& of) {
  joint_.take_counts(static_cast<FieldModel&>(of).joint_);
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
