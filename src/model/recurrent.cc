#include <algorithm>
#include <cmath>

#include "model/hidden_layers.h"
#include "model/sequence_encoder.h"

namespace attune {
namespace {

// Of a member with the state h before it, in thirds r, z, n of W u + b and of R h:
//   r = s(W_r u + b_r + R_r h), z = s(W_z u + b_z + R_z h), n = tanh(W_n u + b_n + r R_n h),
//   h' = (1 - z) n + z h.
// All sequences take a step at once, the longest first, so that those that still go on lie
// together.
class Recurrent final : public SequenceEncoder {
 public:
  Recurrent(std::size_t size, std::size_t slot, std::uint64_t seed)
      : size_(size), slot_(slot), layer_(size, 3 * size, seed) {
    again_.resize(3 * size * size);
    start_normal(again_, std::sqrt(1 / static_cast<double>(size)), seed + 1);
  }
  void forward(FieldBatch& batch) const override;
  void backward(FieldBatch& batch) override;
  std::vector<AdamWeights*> weights() override {
    std::vector<AdamWeights*> all = layer_.weights();
    all.push_back(&again_);
    return all;
  }
  std::unique_ptr<SequenceEncoder> copy() const override {
    return std::make_unique<Recurrent>(*this);
  }

 private:
  enum Kept : std::size_t { kGates, kBefore, kAgain, kState, kStepped, kOrder, kSlopes };
  float* keep(FieldBatch& batch, Kept what, std::size_t count) const {
    return keep_numbers(batch, slot_ + what, count);
  }
  void step(const float* own, const float* before, const float* again, float* gates,
            float* state) const;
  void step_back(const float* gates, const float* before, const float* again, float* above,
                 float* own_slopes, float* again_slopes) const;

  std::size_t size_, slot_;
  DenseLayer layer_;   // W and b
  AdamWeights again_;  // R: (size, 3 size)
};

// The sequences of a batch by length, the longest first.
std::vector<const Sequence*> longest_first(const FieldBatch& batch) {
  std::vector<const Sequence*> all;
  for (const Sequence& one : batch.sequences) all.push_back(&one);
  std::stable_sort(all.begin(), all.end(), [](const Sequence* a, const Sequence* b) {
    return a->end - a->begin > b->end - b->begin;
  });
  return all;
}

// How many of them have a member number t.
std::size_t going_on(const std::vector<const Sequence*>& all, std::size_t t) {
  return static_cast<std::size_t>(
      std::partition_point(all.begin(), all.end(),
                           [&](const Sequence* one) { return one->end - one->begin > t; }) -
      all.begin());
}

// own: what the layer says; becomes r, z, n in gates.
void Recurrent::step(const float* own, const float* before, const float* again, float* gates,
                     float* state) const {
  const std::size_t d = size_;
  const auto both = [&](std::size_t at) {
    return Float8::load(own + at) + Float8::load(again + at);
  };
  for (std::size_t i = 0; i < d; i += 8) {
    const Float8 r = logistic(both(i)), z = logistic(both(d + i));
    const Float8 n = hyperbolic_tangent(
        multiply_add(r, Float8::load(again + 2 * d + i), Float8::load(own + 2 * d + i)));
    r.store(gates + i);
    z.store(gates + d + i);
    n.store(gates + 2 * d + i);
    multiply_add(z, Float8::load(before + i) - n, n).store(state + i);
  }
}

// above: of the state after it, becomes what of it passes z.
void Recurrent::step_back(const float* gates, const float* before, const float* again, float* above,
                          float* own_slopes, float* again_slopes) const {
  const std::size_t d = size_;
  const Float8 one(1.0F);
  for (std::size_t i = 0; i < d; i += 8) {
    const Float8 r = Float8::load(gates + i), z = Float8::load(gates + d + i);
    const Float8 n = Float8::load(gates + 2 * d + i), dh = Float8::load(above + i);
    const Float8 dn = dh * (one - z) * (one - n * n);
    const Float8 dr = dn * Float8::load(again + 2 * d + i) * r * (one - r);
    const Float8 dz = dh * (Float8::load(before + i) - n) * z * (one - z);
    for (float* const slopes : {own_slopes, again_slopes}) {
      dr.store(slopes + i);
      dz.store(slopes + d + i);
    }
    dn.store(own_slopes + 2 * d + i);
    (dn * r).store(again_slopes + 2 * d + i);
    (dh * z).store(above + i);
  }
}

// Kept, a line for each member: its gates, the state before it, and R of that.
void Recurrent::forward(FieldBatch& batch) const {
  const std::size_t d = size_, count = batch.members.size() * 8 / d;
  const std::vector<const Sequence*> all = longest_first(batch);
  float* const gates = keep(batch, kGates, 3 * count * d);
  float* const before = keep(batch, kBefore, count * d);
  float* const again = keep(batch, kAgain, 3 * count * d);
  float* const state = keep(batch, kState, all.size() * d);
  float* const stepped = keep(batch, kStepped, 3 * all.size() * d);
  layer_.forward(reinterpret_cast<const float*>(batch.members.data()), {count, batch.precision},
                 gates);
  std::fill_n(state, all.size() * d, 0.0F);
  const std::size_t longest = all[0]->end - all[0]->begin;
  for (std::size_t t = 0; t < longest; ++t) {
    const std::size_t going = going_on(all, t);
    multiply({.rows = going, .columns = 3 * d, .inner = d, .precision = batch.precision}, state,
             again_.w.data(), stepped);
    for (std::size_t s = 0; s < going; ++s) {
      const std::size_t m = all[s]->end - 1 - t;
      std::copy_n(state + s * d, d, before + m * d);
      std::copy_n(stepped + 3 * s * d, 3 * d, again + 3 * m * d);
      step(gates + 3 * m * d, before + m * d, again + 3 * m * d, gates + 3 * m * d, state + s * d);
    }
  }
  for (std::size_t s = 0; s < all.size(); ++s) {
    auto* const to = reinterpret_cast<float*>(batch.vector_of(all[s]->row, all[s]->field));
    for (std::size_t i = 0; i < d; ++i) to[i] += state[s * d + i];
  }
}

void Recurrent::backward(FieldBatch& batch) {
  const std::size_t d = size_, count = batch.members.size() * 8 / d;
  const std::vector<const Sequence*> all = longest_first(batch);
  const float* const gates = kept_numbers(batch, slot_ + kGates);
  const float* const before = kept_numbers(batch, slot_ + kBefore);
  const float* const again = kept_numbers(batch, slot_ + kAgain);
  float* const above = keep(batch, kState, all.size() * d);
  float* const stepped = keep(batch, kStepped, 3 * all.size() * d);
  float* const own_slopes = keep(batch, kOrder, 3 * count * d);
  float* const again_slopes = keep(batch, kSlopes, 3 * count * d);
  for (std::size_t s = 0; s < all.size(); ++s) {
    const auto* const from =
        reinterpret_cast<const float*>(batch.slopes_of(all[s]->row, all[s]->field));
    std::copy_n(from, d, above + s * d);
  }
  for (std::size_t t = all[0]->end - all[0]->begin; t-- > 0;) {
    const std::size_t going = going_on(all, t);
    for (std::size_t s = 0; s < going; ++s) {
      const std::size_t m = all[s]->end - 1 - t;
      step_back(gates + 3 * m * d, before + m * d, again + 3 * m * d, above + s * d,
                own_slopes + 3 * m * d, again_slopes + 3 * m * d);
      std::copy_n(again_slopes + 3 * m * d, 3 * d, stepped + 3 * s * d);
    }
    multiply({.rows = going,
              .columns = d,
              .inner = 3 * d,
              .is_b_turned = true,
              .adds = true,
              .precision = batch.precision},
             stepped, again_.w.data(), above);
  }
  multiply({.rows = d,
            .columns = 3 * d,
            .inner = count,
            .is_a_turned = true,
            .adds = true,
            .precision = batch.precision},
           before, again_slopes, again_.gradient.data());
  layer_.backward(reinterpret_cast<const float*>(batch.members.data()), own_slopes,
                  {count, batch.precision}, reinterpret_cast<float*>(batch.member_slopes.data()),
                  true);
}

}  // namespace

std::unique_ptr<SequenceEncoder> make_recurrent(std::size_t size, std::size_t slot,
                                                std::uint64_t seed) {
  return std::make_unique<Recurrent>(size, slot, seed);
}

}  // namespace attune
