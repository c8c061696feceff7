// HiddenLayers: dense layers with ReLU after each, of the rows of a batch; LastLayer: the logits of
// all heads of what the top of such layers gives. Parts of interactions.
#pragma once
#include <cstdint>
#include <vector>

#include "model/dense.h"
#include "model/field_batch.h"

namespace attune {

inline constexpr std::size_t kMostDenseWeights = std::size_t{1} << 24;

// inputs -> hidden -> ReLU -> ... -> hidden -> ReLU.
class HiddenLayers {
 public:
  // hidden: units of each layer, at least one, none is 0; slot: the first of kept it may use.
  HiddenLayers(std::size_t inputs, const std::vector<std::size_t>& hidden, std::size_t slot,
               std::uint64_t seed);
  // Slots of FieldBatch::kept for so many layers: what each gives, and two spare ones.
  static std::size_t slots(std::size_t layers) { return layers + 2; }
  std::size_t units() const { return layers_.back().outputs(); }  // at the top
  // What the top gives: (rows, units). x: (rows, inputs).
  const float* forward(const float* x, FieldBatch& batch) const;
  // The same again, after forward().
  const float* top(const FieldBatch& batch) const;
  // Where d loss / d top is to be written, before backward().
  float* top_slopes(FieldBatch& batch) const;
  // Adds to the gradients, and to dx or, unless `adds`, writes it.
  void backward(const float* x, FieldBatch& batch, float* dx, bool adds);
  std::vector<AdamWeights*> weights();

 private:
  std::vector<DenseLayer> layers_;
  std::size_t slot_;
};

// logit of a head = top * its own weights, without a bias.
class LastLayer {
 public:
  // Weights start normal with deviation sqrt(1 / units).
  LastLayer(std::size_t units, std::size_t heads, std::uint64_t seed);
  // top: (rows, units). Adds to the logits.
  void forward(const float* top, FieldBatch& batch) const;
  // Adds to the gradients and writes d loss / d top.
  void backward(const float* top, const FieldBatch& batch, float* slopes);
  AdamWeights* weights() { return &w_; }  // (heads, units)

 private:
  std::size_t units_;
  AdamWeights w_;
};

// Of weights: all that Adam keeps.
std::size_t bytes_of(const std::vector<AdamWeights*>& all);
// The vectors of a batch as numbers: (rows, fields * chunks * 8); and their slopes.
const float* numbers_of(const FieldBatch& batch);
float* slopes_of(FieldBatch& batch);
// Room for so many numbers.
float* keep_numbers(FieldBatch& batch, std::size_t slot, std::size_t count);
const float* kept_numbers(const FieldBatch& batch, std::size_t slot);

}  // namespace attune
