#include <algorithm>
#include <cmath>

#include "model/hidden_layers.h"
#include "model/sequence_encoder.h"

namespace attune {
namespace {

// Kept: what the layer reads, what it gives after ReLU, a; and two spare ones.
class TargetAttention final : public SequenceEncoder {
 public:
  TargetAttention(std::size_t size, std::size_t units, std::span<const SequenceField> sequences,
                  std::size_t slot, std::uint64_t seed)
      : size_(size),
        units_(units),
        slot_(slot),
        like_(sequences.begin(), sequences.end()),
        layer_(3 * size, units, seed) {
    last_.resize(units + 1);  // w, then c
    AdamWeights w;
    w.resize(units);
    start_normal(w, std::sqrt(1 / static_cast<double>(units)), seed + 1);
    std::copy(w.w.begin(), w.w.end(), last_.w.begin());
  }
  void forward(FieldBatch& batch) const override;
  void backward(FieldBatch& batch) override;
  std::vector<AdamWeights*> weights() override {
    std::vector<AdamWeights*> all = layer_.weights();
    all.push_back(&last_);
    return all;
  }
  std::unique_ptr<SequenceEncoder> copy() const override {
    return std::make_unique<TargetAttention>(*this);
  }

 private:
  std::uint16_t like(std::uint16_t field) const {
    return std::find_if(like_.begin(), like_.end(),
                        [&](const SequenceField& s) { return s.field == field; })
        ->like;
  }
  void read(FieldBatch& batch, float* to) const;

  std::size_t size_, units_, slot_;
  std::vector<SequenceField> like_;
  DenseLayer layer_;
  AdamWeights last_;
};

float* numbers(Float8* of) { return reinterpret_cast<float*>(of); }

// [u, q, u q] of each member.
void TargetAttention::read(FieldBatch& batch, float* to) const {
  for (const Sequence& sequence : batch.sequences) {
    const float* const q = numbers(batch.vector_of(sequence.row, like(sequence.field)));
    for (std::size_t m = sequence.begin; m < sequence.end; ++m) {
      const float* const u = numbers(batch.members.data()) + m * size_;
      float* const own = to + 3 * m * size_;
      for (std::size_t i = 0; i < size_; ++i) {
        own[i] = u[i];
        own[size_ + i] = q[i];
        own[2 * size_ + i] = u[i] * q[i];
      }
    }
  }
}

void TargetAttention::forward(FieldBatch& batch) const {
  const std::size_t count = batch.members.size() * 8 / size_;
  float* const read_numbers = keep_numbers(batch, slot_, 3 * count * size_);
  float* const hidden = keep_numbers(batch, slot_ + 1, count * units_);
  float* const shares = keep_numbers(batch, slot_ + 2, count);
  read(batch, read_numbers);
  layer_.forward(read_numbers, {count, batch.precision}, hidden);
  for (std::size_t i = 0; i < count * units_; ++i) hidden[i] = std::max(hidden[i], 0.0F);
  for (const Sequence& sequence : batch.sequences) {
    float* const to = numbers(batch.vector_of(sequence.row, sequence.field));
    for (std::size_t m = sequence.begin; m < sequence.end; ++m) {
      const float* const u = numbers(batch.members.data()) + m * size_;
      shares[m] = last_.w[units_] + inner_product(hidden + m * units_, last_.w.data(), units_);
      for (std::size_t i = 0; i < size_; ++i) to[i] += shares[m] * u[i];
    }
  }
}

void TargetAttention::backward(FieldBatch& batch) {
  const std::size_t count = batch.members.size() * 8 / size_;
  const float* const read_numbers = kept_numbers(batch, slot_);
  const float* const hidden = kept_numbers(batch, slot_ + 1);
  const float* const shares = kept_numbers(batch, slot_ + 2);
  float* const dy = keep_numbers(batch, slot_ + 3, count * units_);
  float* const dx = keep_numbers(batch, slot_ + 4, 3 * count * size_);
  const float* const w = last_.w.data();
  float* const gradient = last_.gradient.data();
  for (const Sequence& sequence : batch.sequences) {
    const float* const above = numbers(batch.slopes_of(sequence.row, sequence.field));
    for (std::size_t m = sequence.begin; m < sequence.end; ++m) {
      const float* const u = numbers(batch.members.data()) + m * size_;
      float* const du = numbers(batch.member_slopes.data()) + m * size_;
      const float share = inner_product(u, above, size_);
      for (std::size_t i = 0; i < size_; ++i) du[i] += shares[m] * above[i];
      const float* const y = hidden + m * units_;
      float* const slopes = dy + m * units_;
      for (std::size_t i = 0; i < units_; ++i) gradient[i] += share * y[i];
      for (std::size_t i = 0; i < units_; ++i) slopes[i] = y[i] > 0 ? share * w[i] : 0;
      gradient[units_] += share;
    }
  }
  layer_.backward(read_numbers, dy, {count, batch.precision}, dx, false);
  for (const Sequence& sequence : batch.sequences) {
    const std::uint16_t of = like(sequence.field);
    const float* const q = numbers(batch.vector_of(sequence.row, of));
    float* const dq = numbers(batch.slopes_of(sequence.row, of));
    for (std::size_t m = sequence.begin; m < sequence.end; ++m) {
      const float* const u = numbers(batch.members.data()) + m * size_;
      float* const du = numbers(batch.member_slopes.data()) + m * size_;
      const float* const own = dx + 3 * m * size_;
      for (std::size_t i = 0; i < size_; ++i) {
        du[i] += own[i] + own[2 * size_ + i] * q[i];
        dq[i] += own[size_ + i] + own[2 * size_ + i] * u[i];
      }
    }
  }
}

}  // namespace

std::unique_ptr<SequenceEncoder> make_target_attention(std::size_t size, std::size_t units,
                                                       std::span<const SequenceField> sequences,
                                                       std::size_t slot, std::uint64_t seed) {
  return std::make_unique<TargetAttention>(size, units, sequences, slot, seed);
}

}  // namespace attune
