#include "model/dense.h"

#include <cblas.h>

#include "base/rng.h"

namespace attune {

void multiply(const Product& of, const float* a, const float* b, float* c) {
  const auto rows = static_cast<f77_int>(of.rows), columns = static_cast<f77_int>(of.columns),
             inner = static_cast<f77_int>(of.inner);
  cblas_sgemm(CblasRowMajor, of.is_a_turned ? CblasTrans : CblasNoTrans,
              of.is_b_turned ? CblasTrans : CblasNoTrans, rows, columns, inner, 1, a,
              of.is_a_turned ? rows : inner, b, of.is_b_turned ? inner : columns,
              of.adds ? 1.0F : 0.0F, c, columns);
}

void start_normal(AdamWeights& weights, double deviation, std::uint64_t seed) {
  Rng rng(seed);
  for (float& w : weights.w) w = static_cast<float>(deviation * rng.normal());
}

DenseLayer::DenseLayer(std::size_t inputs, std::size_t outputs, std::uint64_t seed)
    : inputs_(inputs), outputs_(outputs) {
  w_.resize(inputs * outputs);
  b_.resize(outputs);
  start_normal(w_, std::sqrt(2 / static_cast<double>(std::max<std::size_t>(inputs, 1))), seed);
}

void DenseLayer::forward(const float* x, std::size_t rows, float* y) const {
  for (std::size_t r = 0; r < rows; ++r) std::copy(b_.w.begin(), b_.w.end(), y + r * outputs_);
  multiply({.rows = rows, .columns = outputs_, .inner = inputs_, .adds = true}, x, w_.w.data(), y);
}

void DenseLayer::backward(const float* x, const float* dy, std::size_t rows, float* dx, bool adds) {
  multiply({.rows = inputs_, .columns = outputs_, .inner = rows, .is_a_turned = true, .adds = true},
           x, dy, w_.gradient.data());
  std::vector<float>& gradient = b_.gradient;
  for (std::size_t r = 0; r < rows; ++r) {
    for (std::size_t o = 0; o < outputs_; ++o) gradient[o] += dy[r * outputs_ + o];
  }
  if (dx == nullptr) return;
  multiply({.rows = rows, .columns = inputs_, .inner = outputs_, .is_b_turned = true, .adds = adds},
           dy, w_.w.data(), dx);
}

}  // namespace attune
