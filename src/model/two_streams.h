// TwoStreams (FinalMLP, Mao et al. 2023): two towers over the vectors of all fields, each through a
// gate of its own, 2 sigmoid(g) for each number; what they give, o1 and o2, meets in blocks:
//   logit = w1 o1 + w2 o2 + sum over blocks b of o1_b W_b o2_b
// A head has its own w1, w2 and W; gates and towers are shared.
#pragma once
#include <array>
#include <cstdint>
#include <memory>
#include <vector>

#include "model/hidden_layers.h"

namespace attune {

class TwoStreams final : public Interaction {
 public:
  struct Shape {
    std::size_t inputs;               // numbers of a row's vectors
    std::vector<std::size_t> hidden;  // units of each layer of both, none is 0; at most 3 layers
    std::size_t blocks = 1;           // the last may be shorter; at most the units of the top
    std::size_t heads = 1;
  };
  TwoStreams(const Shape& shape, std::size_t slot, std::uint64_t seed);
  // Null when it would have more than kMostDenseWeights.
  static std::unique_ptr<Interaction> make(const Shape& shape, std::size_t slot,
                                           std::uint64_t seed);
  void forward(FieldBatch& batch) const override;
  void backward(FieldBatch& batch) override;
  std::vector<AdamWeights*> weights() override;
  std::size_t memory_bytes() const override;
  bool is_pairwise() const override { return false; }
  std::unique_ptr<Interaction> copy() const override { return std::make_unique<TwoStreams>(*this); }

 private:
  struct Stream {
    AdamWeights gate;  // g
    HiddenLayers layers;
    LastLayer last;
  };
  std::size_t gated_slot(std::size_t stream) const { return slot_ + 10 + stream; }
  void open_gate(std::size_t stream, FieldBatch& batch) const;
  void close_gate(std::size_t stream, FieldBatch& batch);

  std::size_t inputs_, units_, block_, slot_;
  std::vector<Stream> streams_;  // two
  AdamWeights fusion_;           // W: (heads, units, block), row i meets the block that i is of
};

}  // namespace attune
