#include "model/hidden_layers.h"

#include <algorithm>
#include <cmath>

namespace attune {

HiddenLayers::HiddenLayers(std::size_t inputs, const std::vector<std::size_t>& hidden,
                           std::size_t slot, std::uint64_t seed)
    : slot_(slot) {
  for (const std::size_t units : hidden) {
    layers_.emplace_back(inputs, units, seed + layers_.size());
    inputs = units;
  }
}

// Kept: what each layer gives, after ReLU.
const float* HiddenLayers::forward(const float* x, FieldBatch& batch) const {
  for (std::size_t l = 0; l < layers_.size(); ++l) {
    const std::size_t count = batch.rows * layers_[l].outputs();
    float* const y = keep_numbers(batch, slot_ + l, count);
    layers_[l].forward(x, {batch.rows, batch.precision}, y);
    for (std::size_t i = 0; i < count; ++i) y[i] = std::max(y[i], 0.0F);
    x = y;
  }
  return x;
}

const float* HiddenLayers::top(const FieldBatch& batch) const {
  return kept_numbers(batch, slot_ + layers_.size() - 1);
}

float* HiddenLayers::top_slopes(FieldBatch& batch) const {
  return keep_numbers(batch, slot_ + layers_.size(), batch.rows * units());
}

void HiddenLayers::backward(const float* x, FieldBatch& batch, float* dx, bool adds) {
  std::size_t l = layers_.size();
  const std::size_t spare = slot_ + l;  // two of them, used in turn
  float* dy = top_slopes(batch);
  while (l-- > 0) {
    DenseLayer& layer = layers_[l];
    const float* const y = kept_numbers(batch, slot_ + l);
    for (std::size_t i = 0; i < batch.rows * layer.outputs(); ++i) {
      if (y[i] <= 0) dy[i] = 0;
    }
    if (l == 0) return layer.backward(x, dy, {batch.rows, batch.precision}, dx, adds);
    float* const below =
        keep_numbers(batch, spare + (layers_.size() - l) % 2, batch.rows * layer.inputs());
    layer.backward(kept_numbers(batch, slot_ + l - 1), dy, {batch.rows, batch.precision}, below,
                   false);
    dy = below;
  }
}

std::vector<AdamWeights*> HiddenLayers::weights() {
  std::vector<AdamWeights*> all;
  for (DenseLayer& layer : layers_) {
    for (AdamWeights* const one : layer.weights()) all.push_back(one);
  }
  return all;
}

LastLayer::LastLayer(std::size_t units, std::size_t heads, std::uint64_t seed) : units_(units) {
  w_.resize(heads * units);
  start_normal(w_, std::sqrt(1 / static_cast<double>(units)), seed);
}

void LastLayer::forward(const float* top, FieldBatch& batch) const {
  const std::size_t units = units_;
  for (std::size_t h = 0; h < batch.heads; ++h) {
    const float* const w = &w_.w[h * units];
    float* const logits = batch.logits_of(h);
    for (std::size_t r = 0; r < batch.rows; ++r) {
      Float8 logit;
      std::size_t i = 0;
      for (; i + 8 <= units; i += 8) {
        logit = multiply_add(Float8::load(top + r * units + i), Float8::load(w + i), logit);
      }
      logits[r] += sum(logit);
      for (; i < units; ++i) logits[r] += top[r * units + i] * w[i];
    }
  }
}

void LastLayer::backward(const float* top, const FieldBatch& batch, float* slopes) {
  const std::size_t units = units_;
  std::fill_n(slopes, batch.rows * units, 0.0F);
  for (std::size_t h = 0; h < batch.heads; ++h) {
    const float* const w = &w_.w[h * units];
    float* const gradient = &w_.gradient[h * units];
    for (std::size_t r = 0; r < batch.rows; ++r) {
      const float error = batch.errors_of(h)[r];
      for (std::size_t i = 0; i < units; ++i) {
        gradient[i] += error * top[r * units + i];
        slopes[r * units + i] += error * w[i];
      }
    }
  }
}

std::size_t bytes_of(const std::vector<AdamWeights*>& all) {
  std::size_t count = 0;
  for (const AdamWeights* one : all) count += one->w.size();
  return count * 4 * sizeof(float);
}

const float* numbers_of(const FieldBatch& batch) {
  return reinterpret_cast<const float*>(batch.vectors.data());
}
float* slopes_of(FieldBatch& batch) { return reinterpret_cast<float*>(batch.slopes.data()); }
float* keep_numbers(FieldBatch& batch, std::size_t slot, std::size_t count) {
  return reinterpret_cast<float*>(batch.keep(slot, (count + 7) / 8));
}
const float* kept_numbers(const FieldBatch& batch, std::size_t slot) {
  return reinterpret_cast<const float*>(batch.kept[slot].data());
}

}  // namespace attune
