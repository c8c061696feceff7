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
FieldModel::MeanSlopes FieldModel::mean_slopes(const FieldBatch& to) const {
  constexpr std::size_t kSteps = 32;
  const std::unique_ptr<Interaction> interaction = interaction_->copy();
  const std::size_t steps = interaction->is_pairwise() ? 1 : kSteps;
  FieldBatch line;
  line.fields = fields_;
  line.chunks = chunks_;
  line.heads = heads();
  line.begin(steps);
  const std::size_t size = line.row_chunks(), members = to.members.size();
  for (std::size_t s = 0; s < steps; ++s) {
    const Float8 share((static_cast<float>(s) + 0.5F) / static_cast<float>(steps));
    for (std::size_t i = 0; i < size; ++i) line.vectors[s * size + i] = share * to.vectors[i];
    for (const Float8& number : to.members) line.members.push_back(share * number);
    for (Sequence sequence : to.sequences) {
      sequence.row = static_cast<std::uint32_t>(s);
      sequence.begin += static_cast<std::uint32_t>(s * members / chunks_);
      sequence.end += static_cast<std::uint32_t>(s * members / chunks_);
      line.sequences.push_back(sequence);
    }
    line.errors[s] = 1 / static_cast<float>(steps);
  }
  line.begin_slopes();
  interaction->forward(line);
  interaction->backward(line);
  add_member_slopes(line);
  const auto add_steps = [&](std::vector<Float8>& slopes, std::size_t of_one) {
    for (std::size_t i = of_one; i < steps * of_one; ++i) {
      slopes[i % of_one] = slopes[i % of_one] + slopes[i];
    }
    slopes.resize(of_one);
    return std::move(slopes);
  };
  MeanSlopes mean;
  mean.vectors = add_steps(line.slopes, size);
  mean.members = add_steps(line.member_slopes, members);
  return mean;
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
  read_rows(one, 0, 1, pass);
  Gathered& found = pass.rows[0];
  if (!table_.find(row_of(one, 0, pass), found.found)) return parts;
  table_.pad(found.found);
  place(one, 0, pass, found);
  gather(found, pass, 0);
  const MeanSlopes slopes = mean_slopes(pass.batch);
  const auto part_of = [&](std::size_t i) -> float& {
    const std::size_t feature = found.found.feature_of(i);
    return parts[has_sequences() ? pass.apart.places_of(0)[feature] : feature];
  };
  const float* const values = values_of(found);
  double total = 0, size = 0;
  for (std::size_t i = 0; i < found.found.size; ++i) {
    const bool is_member = i >= plain_of(found);
    const Float8* const own = is_member ? &slopes.members[(i - found.plain) * chunks_]
                                        : &slopes.vectors[found.fields[i] * chunks_];
    Float8 sums;
    for (std::size_t c = 0; c < chunks_; ++c) {
      sums = multiply_add(own[c], chunk(found.found.at[i], c), sums);
    }
    const float part = values[i] * sum(sums);
    part_of(i) = part;
    total += double{part};
    size += double{std::abs(part)};
  }
  pass.batch.logits[0] = 0;
  interaction_->forward(pass.batch);
  const double left = double{pass.batch.logits[0]} - (bias() - double{bias_}) - total;
  const auto more = static_cast<float>(size > 0 ? left / size : 0);
  for (std::size_t i = 0; i < found.found.size; ++i) {
    float& part = part_of(i);
    part += more * std::abs(part) + found.found.x[i] * found.found.first[i];
    if (has_rates_ && i < plain_of(found))
      part += rate_weights_.w[found.fields[i]] * found.rates[i];
  }
  return parts;
}

}  // namespace attune
