// FTRL-Proximal logistic regression over hashed features (McMahan et al. 2013). predict() is const;
// learn() is one thread's.
#pragma once
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "model/weight_table.h"

namespace attune {

struct Feature {
  std::uint32_t hash = 0;  // masked by the table
  float value = 0;
};
using Row = std::span<const Feature>;
// A row with a value beyond this, or NaN, is refused: learn() changes nothing and returns 0.5.
inline constexpr float kMaxFeatureValue = 1e6F;

struct FtrlOptions {
  double alpha = 0.4;
  double beta = 1;
  double l1 = 0.0;
  double l2 = 1.0;
  int bits = 18;  // table of 2^bits weights, in [8, 26]
};

class Ftrl {
 public:
  explicit Ftrl(const FtrlOptions& options);
  float weight(std::uint32_t hash) const { return weights_[hash]; }
  double logit(Row row) const;        // sum of weight * value; 0 when a value is not finite
  double predict(Row row) const;      // P(label = 1), in (0, 1)
  double learn(Row row, bool label);  // one step; returns the prediction made before it
  // The step for this error: prediction - label, times a weight. False: the row was refused.
  bool learn_from(Row row, double error);
  // As decisions read them, 2^bits of them. A copy shares what learning leaves alone afterwards.
  const WeightTable& weights() const { return weights_; }
  std::uint32_t mask() const { return mask_; }
  std::size_t memory_bytes() const { return weights_.memory_bytes() + z_.size() * 8; }
  void encode(std::string& out) const;
  static Result<Ftrl> decode(std::string_view bytes);

 private:
  float weight_of(float z, float n) const;
  void set(std::size_t slot, float z, float n);

  FtrlOptions options_;
  std::uint32_t mask_;
  std::vector<float> z_, n_;
  WeightTable weights_;  // of each slot's z and n
};

}  // namespace attune
