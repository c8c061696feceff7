#include "model/tower.h"

#include <algorithm>
#include <cmath>

namespace attune {
namespace {

std::size_t chunks_for(std::size_t numbers) { return (numbers + 7) / 8; }

const float* inputs_of(const FieldBatch& batch) {
  return reinterpret_cast<const float*>(batch.vectors.data());
}

float* numbers(FieldBatch& batch, std::size_t slot, std::size_t count) {
  return reinterpret_cast<float*>(batch.keep(slot, chunks_for(count)));
}
const float* kept(const FieldBatch& batch, std::size_t slot) {
  return reinterpret_cast<const float*>(batch.kept[slot].data());
}

// logits += top * last; top: (rows, units).
void add_logits(const AdamWeights& last, const float* top, FieldBatch& batch) {
  const std::size_t units = last.w.size();
  for (std::size_t r = 0; r < batch.rows; ++r) {
    Float8 logit;
    std::size_t i = 0;
    for (; i + 8 <= units; i += 8) {
      logit = multiply_add(Float8::load(top + r * units + i), Float8::load(&last.w[i]), logit);
    }
    batch.logits[r] += sum(logit);
    for (; i < units; ++i) batch.logits[r] += top[r * units + i] * last.w[i];
  }
}

// What the errors say of the top and of its weights.
void begin_backward(AdamWeights& last, const float* top, const FieldBatch& batch, float* slopes) {
  const std::size_t units = last.w.size();
  std::vector<float>& gradient = last.gradient(batch.member);
  for (std::size_t r = 0; r < batch.rows; ++r) {
    const float error = batch.errors[r];
    for (std::size_t i = 0; i < units; ++i) {
      gradient[i] += error * top[r * units + i];
      slopes[r * units + i] = error * last.w[i];
    }
  }
}

std::size_t numbers_in(const std::vector<AdamWeights*>& all) {
  std::size_t count = 0;
  for (const AdamWeights* one : all) count += one->w.size();
  return count;
}

}  // namespace

Tower::Tower(std::size_t inputs, const std::vector<std::size_t>& hidden, std::size_t slot,
             std::uint64_t seed)
    : slot_(slot) {
  for (const std::size_t units : hidden) {
    layers_.emplace_back(inputs, units, seed + layers_.size());
    inputs = units;
  }
  last_.resize(inputs);
  start_normal(last_, std::sqrt(1 / static_cast<double>(inputs)), seed + layers_.size());
}

std::unique_ptr<Interaction> make_tower(std::size_t inputs, const std::vector<std::size_t>& hidden,
                                        std::size_t slot, std::uint64_t seed) {
  std::size_t weights = 0, from = inputs;
  for (const std::size_t units : hidden) {
    weights += from * units;
    from = units;
  }
  if (weights > kMostDenseWeights) return nullptr;
  return std::make_unique<Tower>(inputs, hidden, slot, seed);
}

// Kept: what each layer gives, after ReLU.
void Tower::forward(FieldBatch& batch) const {
  const float* x = inputs_of(batch);
  for (std::size_t l = 0; l < layers_.size(); ++l) {
    const std::size_t count = batch.rows * layers_[l].outputs();
    float* const y = numbers(batch, slot_ + l, count);
    layers_[l].forward(x, batch.rows, y);
    for (std::size_t i = 0; i < count; ++i) y[i] = std::max(y[i], 0.0F);
    x = y;
  }
  add_logits(last_, x, batch);
}

void Tower::backward(FieldBatch& batch) {
  std::size_t l = layers_.size();
  const std::size_t spare = slot_ + l;  // two of them, used in turn
  float* dy = numbers(batch, spare, batch.rows * last_.w.size());
  begin_backward(last_, kept(batch, slot_ + l - 1), batch, dy);
  while (l-- > 0) {
    DenseLayer& layer = layers_[l];
    const float* const y = kept(batch, slot_ + l);
    for (std::size_t i = 0; i < batch.rows * layer.outputs(); ++i) {
      if (y[i] <= 0) dy[i] = 0;
    }
    if (l == 0) {
      auto* const slopes = reinterpret_cast<float*>(batch.slopes.data());
      layer.backward(inputs_of(batch), dy, batch.rows, slopes, true, batch.member);
      return;
    }
    float* const dx = numbers(batch, spare + (layers_.size() - l) % 2, batch.rows * layer.inputs());
    layer.backward(kept(batch, slot_ + l - 1), dy, batch.rows, dx, false, batch.member);
    dy = dx;
  }
}

std::vector<AdamWeights*> Tower::weights() {
  std::vector<AdamWeights*> all{&last_};
  for (DenseLayer& layer : layers_) {
    for (AdamWeights* const one : layer.weights()) all.push_back(one);
  }
  return all;
}

std::size_t Tower::memory_bytes() const {
  return numbers_in(const_cast<Tower*>(this)->weights()) * 4 * sizeof(float);
}

Cross::Cross(std::size_t inputs, std::size_t layers, std::size_t rank, std::size_t slot,
             std::uint64_t seed)
    : inputs_(inputs), rank_(rank), slot_(slot) {
  for (std::size_t l = 0; l < layers; ++l) {
    Layer layer{{}, DenseLayer(rank, inputs, seed + 2 * l)};
    layer.narrow.resize(inputs * rank);
    start_normal(layer.narrow, std::sqrt(1 / static_cast<double>(inputs)), seed + 2 * l + 1);
    layers_.push_back(std::move(layer));
  }
  last_.resize(inputs);
  start_normal(last_, std::sqrt(1 / static_cast<double>(inputs)), seed + 2 * layers);
}

// Kept, of each layer: x_l V, what is multiplied with x_0, and x_(l+1).
void Cross::forward(FieldBatch& batch) const {
  const std::size_t rows = batch.rows, count = rows * inputs_;
  const float* const first = inputs_of(batch);
  const float* x = first;
  for (std::size_t l = 0; l < layers_.size(); ++l) {
    const Layer& layer = layers_[l];
    float* const narrow = numbers(batch, slot_ + 3 * l, rows * rank_);
    float* const wide = numbers(batch, slot_ + 3 * l + 1, count);
    float* const next = numbers(batch, slot_ + 3 * l + 2, count);
    multiply({rows, rank_, inputs_}, x, layer.narrow.w.data(), narrow);
    layer.widen.forward(narrow, rows, wide);
    for (std::size_t i = 0; i < count; ++i) next[i] = first[i] * wide[i] + x[i];
    x = next;
  }
  add_logits(last_, x, batch);
}

void Cross::backward(FieldBatch& batch) {
  const std::size_t rows = batch.rows, count = rows * inputs_;
  const std::size_t spare = slot_ + 3 * layers_.size();
  const float* const first = inputs_of(batch);
  auto* const slopes = reinterpret_cast<float*>(batch.slopes.data());  // of x_0
  float* const dx = numbers(batch, spare, count);                      // of x_(l+1), then x_l
  float* const wide_slopes = numbers(batch, spare + 1, count);
  float* const narrow_slopes = numbers(batch, spare + 2, rows * rank_);
  begin_backward(last_, kept(batch, spare - 1), batch, dx);
  for (std::size_t l = layers_.size(); l-- > 0;) {
    Layer& layer = layers_[l];
    const float* const wide = kept(batch, slot_ + 3 * l + 1);
    for (std::size_t i = 0; i < count; ++i) {
      wide_slopes[i] = dx[i] * first[i];
      slopes[i] += dx[i] * wide[i];
    }
    layer.widen.backward(kept(batch, slot_ + 3 * l), wide_slopes, rows, narrow_slopes, false,
                         batch.member);
    const float* const x = l == 0 ? first : kept(batch, slot_ + 3 * l - 1);
    multiply({.rows = inputs_, .columns = rank_, .inner = rows, .is_a_turned = true, .adds = true},
             x, narrow_slopes, layer.narrow.gradient(batch.member).data());
    multiply({.rows = rows, .columns = inputs_, .inner = rank_, .is_b_turned = true, .adds = true},
             narrow_slopes, layer.narrow.w.data(), dx);
  }
  for (std::size_t i = 0; i < count; ++i) slopes[i] += dx[i];
}

std::vector<AdamWeights*> Cross::weights() {
  std::vector<AdamWeights*> all{&last_};
  for (Layer& layer : layers_) {
    all.push_back(&layer.narrow);
    for (AdamWeights* const one : layer.widen.weights()) all.push_back(one);
  }
  return all;
}

std::size_t Cross::memory_bytes() const {
  return numbers_in(const_cast<Cross*>(this)->weights()) * 4 * sizeof(float);
}

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
