#include "model/tower.h"

#include <algorithm>
#include <cmath>

namespace attune {

Tower::Tower(std::size_t inputs, const std::vector<std::size_t>& hidden, std::size_t slot,
             std::uint64_t seed, std::size_t heads)
    : layers_(inputs, hidden, slot, seed), last_(layers_.units(), heads, seed + hidden.size()) {}

std::unique_ptr<Interaction> make_tower(std::size_t inputs, const std::vector<std::size_t>& hidden,
                                        std::size_t slot, std::uint64_t seed, std::size_t heads) {
  std::size_t weights = 0, from = inputs;
  for (const std::size_t units : hidden) {
    weights += from * units;
    from = units;
  }
  if (weights > kMostDenseWeights) return nullptr;
  return std::make_unique<Tower>(inputs, hidden, slot, seed, heads);
}

void Tower::forward(FieldBatch& batch) const {
  last_.forward(layers_.forward(numbers_of(batch), batch), batch);
}

void Tower::backward(FieldBatch& batch) {
  last_.backward(layers_.top(batch), batch, layers_.top_slopes(batch));
  layers_.backward(numbers_of(batch), batch, slopes_of(batch), true);
}

std::vector<AdamWeights*> Tower::weights() {
  std::vector<AdamWeights*> all = layers_.weights();
  all.insert(all.begin(), last_.weights());
  return all;
}

std::size_t Tower::memory_bytes() const { return bytes_of(const_cast<Tower*>(this)->weights()); }

Cross::Cross(std::size_t inputs, std::size_t layers, std::size_t rank, std::size_t slot,
             std::uint64_t seed, std::size_t heads)
    : inputs_(inputs), rank_(rank), last_(inputs, heads, seed + 2 * layers), slot_(slot) {
  for (std::size_t l = 0; l < layers; ++l) {
    Layer layer{{}, DenseLayer(rank, inputs, seed + 2 * l)};
    layer.narrow.resize(inputs * rank);
    start_normal(layer.narrow, std::sqrt(1 / static_cast<double>(inputs)), seed + 2 * l + 1);
    layers_.push_back(std::move(layer));
  }
}

// Kept, of each layer: x_l V, what is multiplied with x_0, and x_(l+1).
void Cross::forward(FieldBatch& batch) const {
  const std::size_t rows = batch.rows, count = rows * inputs_;
  const float* const first = numbers_of(batch);
  const float* x = first;
  for (std::size_t l = 0; l < layers_.size(); ++l) {
    const Layer& layer = layers_[l];
    float* const narrow = keep_numbers(batch, slot_ + 3 * l, rows * rank_);
    float* const wide = keep_numbers(batch, slot_ + 3 * l + 1, count);
    float* const next = keep_numbers(batch, slot_ + 3 * l + 2, count);
    multiply({.rows = rows, .columns = rank_, .inner = inputs_, .precision = batch.precision}, x,
             layer.narrow.w.data(), narrow);
    layer.widen.forward(narrow, {rows, batch.precision}, wide);
    for (std::size_t i = 0; i < count; ++i) next[i] = first[i] * wide[i] + x[i];
    x = next;
  }
  last_.forward(x, batch);
}

void Cross::backward(FieldBatch& batch) {
  const std::size_t rows = batch.rows, count = rows * inputs_;
  const std::size_t spare = slot_ + 3 * layers_.size();
  const float* const first = numbers_of(batch);
  float* const slopes = slopes_of(batch);               // of x_0
  float* const dx = keep_numbers(batch, spare, count);  // of x_(l+1), then x_l
  float* const wide_slopes = keep_numbers(batch, spare + 1, count);
  float* const narrow_slopes = keep_numbers(batch, spare + 2, rows * rank_);
  last_.backward(kept_numbers(batch, spare - 1), batch, dx);
  for (std::size_t l = layers_.size(); l-- > 0;) {
    Layer& layer = layers_[l];
    const float* const wide = kept_numbers(batch, slot_ + 3 * l + 1);
    for (std::size_t i = 0; i < count; ++i) {
      wide_slopes[i] = dx[i] * first[i];
      slopes[i] += dx[i] * wide[i];
    }
    layer.widen.backward(kept_numbers(batch, slot_ + 3 * l), wide_slopes, {rows, batch.precision},
                         narrow_slopes, false);
    const float* const x = l == 0 ? first : kept_numbers(batch, slot_ + 3 * l - 1);
    multiply({.rows = inputs_,
              .columns = rank_,
              .inner = rows,
              .is_a_turned = true,
              .adds = true,
              .precision = batch.precision},
             x, narrow_slopes, layer.narrow.gradient.data());
    multiply({.rows = rows,
              .columns = inputs_,
              .inner = rank_,
              .is_b_turned = true,
              .adds = true,
              .precision = batch.precision},
             narrow_slopes, layer.narrow.w.data(), dx);
  }
  for (std::size_t i = 0; i < count; ++i) slopes[i] += dx[i];
}

std::vector<AdamWeights*> Cross::weights() {
  std::vector<AdamWeights*> all{last_.weights()};
  for (Layer& layer : layers_) {
    all.push_back(&layer.narrow);
    for (AdamWeights* const one : layer.widen.weights()) all.push_back(one);
  }
  return all;
}

std::size_t Cross::memory_bytes() const { return bytes_of(const_cast<Cross*>(this)->weights()); }

void SumOf::forward(FieldBatch& batch) const {
  for (const auto& one : all_) one->forward(batch);
}
void SumOf::backward(FieldBatch& batch) {
  for (const auto& one : all_) one->backward(batch);
}
std::vector<AdamWeights*> SumOf::weights() {
  std::vector<AdamWeights*> all;
  for (const auto& one : all_) {
    for (AdamWeights* const weights : one->weights()) all.push_back(weights);
  }
  return all;
}
std::size_t SumOf::memory_bytes() const {
  std::size_t bytes = 0;
  for (const auto& one : all_) bytes += one->memory_bytes();
  return bytes;
}
bool SumOf::is_pairwise() const {
  return std::all_of(all_.begin(), all_.end(), [](const auto& one) { return one->is_pairwise(); });
}
std::unique_ptr<Interaction> SumOf::copy() const {
  std::vector<std::unique_ptr<Interaction>> all;
  for (const auto& one : all_) all.push_back(one->copy());
  return std::make_unique<SumOf>(std::move(all));
}

}  // namespace attune
