// SequenceEncoder: what a sequence says beyond the sum of what it holds: it adds a vector, made of
// the members one by one, to that of the sequence's field. Of members u_0 (the newest), u_1, ...:
//   target attention (DIN, Zhou et al. 2018): sum_t a_t u_t, a_t = w relu(W [u_t, q, u_t q] + b) +
//     c, q the vector of the field the sequence is like: what is offered decides what counts of
//     what was before.
//   recurrent (GRU4Rec, Hidasi et al. 2016): the last state of a gated recurrent unit (Cho et al.
//     2014) that reads from the oldest to the newest.
//   self-attention (SASRec, Kang and McAuley 2018): with e_t = u_t + p_t, p_t learned of the place,
//     and weights a = softmax(<e_0 Q, e_t K> / sqrt(d)): s = e_0 + sum_t a_t e_t V, and
//     s + W2 relu(W1 s + b1) + b2: one block, of which the newest alone is asked, without
//     normalisation.
// So a kind begins about as the sum it is without one, and what it learns beside it is all its own.
#pragma once
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "model/dense.h"
#include "model/field_batch.h"
#include "model/model.h"

namespace attune {

class SequenceEncoder {
 public:
  virtual ~SequenceEncoder() = default;
  // Of all sequences of the batch, of which there is one.
  virtual void forward(FieldBatch& batch) const = 0;
  // After forward() and with slopes: adds to slopes of members, and of other fields.
  virtual void backward(FieldBatch& batch) = 0;
  virtual std::vector<AdamWeights*> weights() = 0;
  virtual std::unique_ptr<SequenceEncoder> copy() const = 0;
};

// size: numbers of a vector, 8 * chunks. slot: of FieldBatch::kept, the first of kKeptOfOne.
std::unique_ptr<SequenceEncoder> make_target_attention(std::size_t size, std::size_t units,
                                                       std::span<const SequenceField> sequences,
                                                       std::size_t slot, std::uint64_t seed);
std::unique_ptr<SequenceEncoder> make_recurrent(std::size_t size, std::size_t slot,
                                                std::uint64_t seed);
std::unique_ptr<SequenceEncoder> make_self_attention(std::size_t size, std::size_t units,
                                                     std::size_t slot, std::uint64_t seed);

// An interaction of what an encoder made of sequences.
class OverSequences final : public Interaction {
 public:
  // They must not share what they keep.
  OverSequences(std::unique_ptr<SequenceEncoder> encoder, std::unique_ptr<Interaction> fields)
      : encoder_(std::move(encoder)), fields_(std::move(fields)) {}
  void forward(FieldBatch& batch) const override;
  void backward(FieldBatch& batch) override;
  std::vector<AdamWeights*> weights() override;
  std::size_t memory_bytes() const override;
  bool is_pairwise() const override { return false; }
  std::unique_ptr<Interaction> copy() const override {
    return std::make_unique<OverSequences>(encoder_->copy(), fields_->copy());
  }

 private:
  std::unique_ptr<SequenceEncoder> encoder_;
  std::unique_ptr<Interaction> fields_;
};

}  // namespace attune
