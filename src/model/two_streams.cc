#include "model/two_streams.h"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace attune {
namespace {

std::vector<float> openings(const std::vector<float>& g) {
  std::vector<float> open(g.size());
  for (std::size_t i = 0; i < g.size(); ++i) open[i] = 2 / (1 + std::exp(-g[i]));
  return open;
}

// Of o1 and o2, both (rows, units), one row: which numbers of o2 number i of o1 meets.
struct Met {
  std::size_t begin, count;
};
Met met_by(std::size_t i, std::size_t units, std::size_t block) {
  const std::size_t begin = i / block * block;
  return {begin, std::min(block, units - begin)};
}

}  // namespace

TwoStreams::TwoStreams(const Shape& shape, std::size_t slot, std::uint64_t seed)
    : inputs_(shape.inputs),
      units_(shape.hidden.back()),
      block_((units_ + shape.blocks - 1) / shape.blocks),
      slot_(slot) {
  for (std::size_t s = 0; s < 2; ++s) {
    const std::uint64_t own = seed + 100 * s;
    streams_.push_back({{},
                        HiddenLayers(inputs_, shape.hidden, slot + 5 * s, own),
                        LastLayer(units_, shape.heads, own + shape.hidden.size())});
    streams_.back().gate.resize(inputs_);
  }
  fusion_.resize(shape.heads * units_ * block_);
  start_normal(fusion_, 1 / static_cast<double>(units_), seed + 200);
}

std::unique_ptr<Interaction> TwoStreams::make(const Shape& shape, std::size_t slot,
                                              std::uint64_t seed) {
  std::size_t weights = shape.heads * shape.hidden.back() * shape.hidden.back();
  std::size_t from = shape.inputs;
  for (const std::size_t units : shape.hidden) {
    weights += 2 * from * units;
    from = units;
  }
  if (weights > kMostDenseWeights) return nullptr;
  return std::make_unique<TwoStreams>(shape, slot, seed);
}

// Kept: the inputs times the gate.
void TwoStreams::open_gate(std::size_t stream, FieldBatch& batch) const {
  const std::vector<float> open = openings(streams_[stream].gate.w);
  float* const gated = keep_numbers(batch, gated_slot(stream), batch.rows * inputs_);
  const float* const x = numbers_of(batch);
  for (std::size_t r = 0; r < batch.rows; ++r) {
    for (std::size_t i = 0; i < inputs_; ++i) gated[r * inputs_ + i] = x[r * inputs_ + i] * open[i];
  }
}

// From the slopes of what is gated, in the slot after both gated inputs, to those of g and inputs.
void TwoStreams::close_gate(std::size_t stream, FieldBatch& batch) {
  AdamWeights& gate = streams_[stream].gate;
  const float* const dx = kept_numbers(batch, gated_slot(2));
  const float* const x = numbers_of(batch);
  float* const slopes = slopes_of(batch);
  const std::vector<float> open = openings(gate.w);
  std::vector<float> sums(inputs_, 0.0F);
  std::vector<float>& gradient = gate.gradient;
  for (std::size_t r = 0; r < batch.rows; ++r) {
    for (std::size_t i = 0; i < inputs_; ++i) {
      const std::size_t at = r * inputs_ + i;
      sums[i] += dx[at] * x[at];
      slopes[at] += dx[at] * open[i];
    }
  }
  for (std::size_t i = 0; i < inputs_; ++i) {
    gradient[i] += sums[i] * open[i] * (1 - open[i] / 2);
  }
}

void TwoStreams::forward(FieldBatch& batch) const {
  const float* top[2];
  for (std::size_t s = 0; s < 2; ++s) {
    open_gate(s, batch);
    top[s] = streams_[s].layers.forward(kept_numbers(batch, gated_slot(s)), batch);
    streams_[s].last.forward(top[s], batch);
  }
  for (std::size_t h = 0; h < batch.heads; ++h) {
    for (std::size_t r = 0; r < batch.rows; ++r) {
      const float* const a = top[0] + r * units_;
      const float* const b = top[1] + r * units_;
      float logit = 0;
      for (std::size_t i = 0; i < units_; ++i) {
        if (a[i] == 0) continue;
        const Met met = met_by(i, units_, block_);
        const float* const w = &fusion_.w[(h * units_ + i) * block_];
        logit += a[i] * std::inner_product(w, w + met.count, b + met.begin, 0.0F);
      }
      batch.logits_of(h)[r] += logit;
    }
  }
}

void TwoStreams::backward(FieldBatch& batch) {
  float* slopes[2];
  const float* top[2];
  for (std::size_t s = 0; s < 2; ++s) {
    slopes[s] = streams_[s].layers.top_slopes(batch);
    top[s] = streams_[s].layers.top(batch);
    streams_[s].last.backward(top[s], batch, slopes[s]);
  }
  for (std::size_t h = 0; h < batch.heads; ++h) {
    for (std::size_t r = 0; r < batch.rows; ++r) {
      const float error = batch.errors_of(h)[r];
      const std::size_t at = r * units_;
      for (std::size_t i = 0; i < units_; ++i) {
        const float a = top[0][at + i];
        if (a == 0) continue;  // what is behind a ReLU that is shut learns nothing
        const Met met = met_by(i, units_, block_);
        const float* const w = &fusion_.w[(h * units_ + i) * block_];
        float* const gradient = &fusion_.gradient[(h * units_ + i) * block_];
        const float* const b = top[1] + at + met.begin;
        float* const db = slopes[1] + at + met.begin;
        float sum = 0;
        for (std::size_t j = 0; j < met.count; ++j) {
          sum += w[j] * b[j];
          gradient[j] += error * a * b[j];
          db[j] += error * a * w[j];
        }
        slopes[0][at + i] += error * sum;
      }
    }
  }
  float* const dx = keep_numbers(batch, gated_slot(2), batch.rows * inputs_);
  for (std::size_t s = 0; s < 2; ++s) {
    streams_[s].layers.backward(kept_numbers(batch, gated_slot(s)), batch, dx, false);
    close_gate(s, batch);
  }
}

std::vector<AdamWeights*> TwoStreams::weights() {
  std::vector<AdamWeights*> all{&fusion_};
  for (Stream& stream : streams_) {
    all.push_back(&stream.gate);
    all.push_back(stream.last.weights());
    for (AdamWeights* const one : stream.layers.weights()) all.push_back(one);
  }
  return all;
}

std::size_t TwoStreams::memory_bytes() const {
  return bytes_of(const_cast<TwoStreams*>(this)->weights());
}

}  // namespace attune
