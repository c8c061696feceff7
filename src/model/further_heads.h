// FurtherHeads: what the second and later tasks of a model over fields have of their own besides
// the last layers of its interaction: a bias, and of each id a weight and how often its rows were a
// 1, which lie in the id's row of the table beside those of the first task. One thread.
#pragma once
#include <span>
#include <vector>

#include "model/adam.h"
#include "model/feature_table.h"
#include "model/field_batch.h"

namespace attune {

class FurtherHeads {
 public:
  struct Rates {
    float weight, bias;  // size of the first step
    bool has_rates;      // the click rate of an id is an input
  };
  // heads: all of them, with the first. begin: floats of an id's row before those of further heads.
  FurtherHeads(std::size_t heads, std::size_t fields, std::size_t begin, const Rates& rates);
  // Floats of an id's row: weight, sum of squared gradients, rows and ones seen, of each.
  static std::size_t floats(std::size_t heads) { return ((heads - 1) * 4 + 7) / 8 * 8; }
  // Which float of an id's row is the weight of a further head.
  std::size_t weight_at(std::size_t further) const { return begin_ + 4 * further; }
  // The linear part of the logits of a row of the batch. fields: of the first found, those whose
  // rates count; rates: room for what step() needs again.
  void add_logits(const FoundRows& found, std::span<const std::uint16_t> fields,
                  std::vector<float>& rates, FieldBatch& batch, std::size_t at) const;
  // Learns from that row: batch.errors by its weight; labels: (heads), NaN = not known.
  struct Taught {
    std::size_t at;  // row of the batch
    float weight;
    std::span<const float> labels;  // (heads, rows of the batch)
  };
  void step(FoundRows& found, std::span<const std::uint16_t> fields, std::span<const float> rates,
            const FieldBatch& batch, const Taught& of);
  AdamWeights* rate_weights() { return &rate_weights_; }  // (further heads, fields)
  // Bias, its squares, rows, ones of each.
  std::vector<double*> numbers();
  double bias(std::size_t further) const { return heads_[further].bias; }

 private:
  struct Head {
    double bias = 0, bias_squares = 0, rows = 0, ones = 0;  // learned from, by weight
    float base_rate() const { return static_cast<float>((ones + 1) / (rows + 2)); }
  };
  struct Step {
    float error, weight, counted, label;
  };
  void step_eight(float* const* at, const float* values, const Step& by) const;

  std::size_t fields_, begin_;
  Rates rates_;
  std::vector<Head> heads_;
  AdamWeights rate_weights_;
};

}  // namespace attune
