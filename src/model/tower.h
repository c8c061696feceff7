// Interactions made of dense layers, over the vectors of all fields side by side. Each takes part
// in the logit of a head by the head's own last weight for each of its outputs.
#pragma once
#include <cstdint>
#include <memory>
#include <vector>

#include "model/hidden_layers.h"

namespace attune {

// inputs -> hidden -> ReLU -> ... -> hidden -> ReLU -> 1, without a bias at the end.
class Tower final : public Interaction {
 public:
  // hidden: units of each layer, none is 0; slot: the first of kKeptOfOne.
  Tower(std::size_t inputs, const std::vector<std::size_t>& hidden, std::size_t slot,
        std::uint64_t seed, std::size_t heads = 1);
  void forward(FieldBatch& batch) const override;
  void backward(FieldBatch& batch) override;
  std::vector<AdamWeights*> weights() override;
  std::size_t memory_bytes() const override;
  bool is_pairwise() const override { return false; }
  std::unique_ptr<Interaction> copy() const override { return std::make_unique<Tower>(*this); }

 private:
  HiddenLayers layers_;
  LastLayer last_;
};

// Null when it would have more than kMostDenseWeights.
std::unique_ptr<Interaction> make_tower(std::size_t inputs, const std::vector<std::size_t>& hidden,
                                        std::size_t slot, std::uint64_t seed,
                                        std::size_t heads = 1);

// Cross layers of low rank (DCN-v2, Wang et al. 2021): x_(l+1) = x_0 * (x_l V U + b) + x_l, * by
// number; V is (inputs, rank), U is (rank, inputs).
class Cross final : public Interaction {
 public:
  Cross(std::size_t inputs, std::size_t layers, std::size_t rank, std::size_t slot,
        std::uint64_t seed, std::size_t heads = 1);
  void forward(FieldBatch& batch) const override;
  void backward(FieldBatch& batch) override;
  std::vector<AdamWeights*> weights() override;
  std::size_t memory_bytes() const override;
  bool is_pairwise() const override { return false; }
  std::unique_ptr<Interaction> copy() const override { return std::make_unique<Cross>(*this); }

 private:
  struct Layer {
    AdamWeights narrow;  // V
    DenseLayer widen;    // U and b
  };
  std::size_t inputs_, rank_;
  std::vector<Layer> layers_;
  LastLayer last_;
  std::size_t slot_;
};

// The sum of others.
class SumOf final : public Interaction {
 public:
  explicit SumOf(std::vector<std::unique_ptr<Interaction>> all) : all_(std::move(all)) {}
  void forward(FieldBatch& batch) const override;
  void backward(FieldBatch& batch) override;
  std::vector<AdamWeights*> weights() override;
  std::size_t memory_bytes() const override;
  bool is_pairwise() const override;
  std::unique_ptr<Interaction> copy() const override;

 private:
  std::vector<std::unique_ptr<Interaction>> all_;
};

}  // namespace attune
