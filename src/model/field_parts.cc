// The additive parts of what a FieldModel says of a row.
#include <cmath>

#include "model/field_model.h"

namespace attune {

// What is the same for every row: the interaction of no features too.
double FieldModel::bias() const {
  FieldBatch none;
  none.fields = fields_;
  none.chunks = chunks_;
  none.heads = heads();
  none.begin(1);
  std::fill(none.vectors.begin(), none.vectors.end(), Float8());
  interaction_->forward(none);
  return double{bias_} + double{none.logits[0]};
}

// The mean of the slopes along the straight line from no features to a batch of one row.
std::vector<Float8> FieldModel::mean_slopes(const FieldBatch& to) const {
  constexpr std::size_t kSteps = 32;
  const std::unique_ptr<Interaction> interaction = interaction_->copy();
  const std::size_t steps = interaction->is_pairwise() ? 1 : kSteps;
  FieldBatch line;
  line.fields = fields_;
  line.chunks = chunks_;
  line.heads = heads();
  line.begin(steps);
  line.begin_slopes();
  const std::size_t size = line.row_chunks();
  for (std::size_t s = 0; s < steps; ++s) {
    const Float8 share((static_cast<float>(s) + 0.5F) / static_cast<float>(steps));
    for (std::size_t i = 0; i < size; ++i) line.vectors[s * size + i] = share * to.vectors[i];
    line.errors[s] = 1 / static_cast<float>(steps);
  }
  interaction->forward(line);
  interaction->backward(line);
  for (std::size_t i = size; i < steps * size; ++i) {
    line.slopes[i % size] = line.slopes[i % size] + line.slopes[i];
  }
  line.slopes.resize(size);
  return std::move(line.slopes);
}

// Integrated gradients (Sundararajan et al. 2017). Of pairs one step in the middle is exact: a
// pair's share is halved between its two fields. Of networks the little that the steps leave is
// shared out by the size of the parts.
std::vector<float> FieldModel::parts(Row row, std::span<const std::uint16_t> fields) const {
  Examples one;
  one.features.assign(row.begin(), row.end());
  one.fields.assign(fields.begin(), fields.end());
  one.ends = {static_cast<std::uint32_t>(row.size())};
  std::vector<float> parts(row.size());
  Pass pass;
  begin(pass, 1);
  Gathered& found = pass.rows[0];
  if (!table_.find(row, found.found)) return parts;
  table_.pad(found.found);
  place(one, 0, found);
  gather(found, pass, 0);
  const std::vector<Float8> slopes = mean_slopes(pass.batch);
  double total = 0, size = 0;
  for (std::size_t i = 0; i < found.found.size; ++i) {
    Float8 sums;
    for (std::size_t c = 0; c < chunks_; ++c) {
      sums = multiply_add(slopes[found.fields[i] * chunks_ + c], chunk(found.found.at[i], c), sums);
    }
    const float part = found.found.x[i] * sum(sums);
    parts[found.found.feature_of(i)] = part;
    total += double{part};
    size += double{std::abs(part)};
  }
  pass.batch.logits[0] = 0;
  interaction_->forward(pass.batch);
  const double left = double{pass.batch.logits[0]} - (bias() - double{bias_}) - total;
  const auto more = static_cast<float>(size > 0 ? left / size : 0);
  for (std::size_t i = 0; i < found.found.size; ++i) {
    float& part = parts[found.found.feature_of(i)];
    part += more * std::abs(part) + found.found.x[i] * found.found.first[i];
    if (has_rates_) part += rate_weights_.w[found.fields[i]] * found.rates[i];
  }
  return parts;
}

}  // namespace attune
