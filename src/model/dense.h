// Dense: matrix products of networks (BLIS), and layers made of them. All matrices lie row by
// row, without gaps.
#pragma once
#include <cstddef>
#include <cstdint>
#include <vector>

#include "model/adam.h"

namespace attune {

enum class Precision {
  kSingle,
  kBfloat16,  // where the processor can (bfloat16.h), else kSingle
};

// c (rows, columns) = a (rows, inner) * b (inner, columns), or c += it. `turned`: the matrix lies
// the other way round in memory. None of the sizes is 0. Safe on several threads, each with a c of
// its own.
struct Product {
  std::size_t rows, columns, inner;
  bool is_a_turned = false, is_b_turned = false, adds = false;
  Precision precision = Precision::kSingle;
};
void multiply(const Product& of, const float* a, const float* b, float* c);

// How many rows pass through a layer, and how it multiplies.
struct Rows {
  std::size_t count;
  Precision precision = Precision::kSingle;
};

// y = x W + b. W is (inputs, outputs).
class DenseLayer {
 public:
  DenseLayer() = default;
  // Weights start normal with deviation sqrt(2 / inputs) (He et al. 2015), b at 0.
  DenseLayer(std::size_t inputs, std::size_t outputs, std::uint64_t seed);
  std::size_t inputs() const { return inputs_; }
  std::size_t outputs() const { return outputs_; }
  // y: (rows, outputs).
  void forward(const float* x, Rows rows, float* y) const;
  // dy: d loss / d y. Adds to the gradients, and writes or adds to dx unless it is null.
  void backward(const float* x, const float* dy, Rows rows, float* dx, bool adds);
  std::vector<AdamWeights*> weights() { return {&w_, &b_}; }
  std::size_t numbers() const { return w_.w.size() + b_.w.size(); }

 private:
  std::size_t inputs_ = 0, outputs_ = 0;
  AdamWeights w_, b_;
};

// Normal numbers of this deviation.
void start_normal(AdamWeights& weights, double deviation, std::uint64_t seed);

}  // namespace attune
