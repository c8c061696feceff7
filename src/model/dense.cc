#include "model/dense.h"

#include <blis.h>

#include "base/rng.h"
#include "model/bfloat16.h"

namespace attune {
namespace {

// BLIS 0.9 has kernels for small matrices that take them as they lie, without a copy. Some read
// past the end: in a where b is turned, in c where one or two columns are left of four (its issues
// 635 and 821). What they read is not used, but it may be no memory of ours.
bool stays_inside(const Product& of) { return !of.is_b_turned && of.columns % 4 < 2; }

}  // namespace

// As b' a' = c' by columns, which is what cblas_sgemm makes of it: other ways round have such
// kernels too.
void multiply(const Product& of, const float* a, const float* b, float* c) {
  if (of.precision == Precision::kBfloat16 && has_bfloat16()) {
    return multiply_bfloat16(of, a, b, c);
  }
  rntm_t how;
  bli_rntm_init_from_global(&how);
  how.l3_sup = stays_inside(of);  // "small/unpacked"
  const auto rows = static_cast<dim_t>(of.rows), columns = static_cast<dim_t>(of.columns),
             inner = static_cast<dim_t>(of.inner);
  float one = 1, kept = of.adds ? 1 : 0;  // BLIS takes what it only reads as not const, too
  bli_sgemm_ex(of.is_b_turned ? BLIS_TRANSPOSE : BLIS_NO_TRANSPOSE,
               of.is_a_turned ? BLIS_TRANSPOSE : BLIS_NO_TRANSPOSE, columns, rows, inner, &one,
               const_cast<float*>(b), 1, of.is_b_turned ? inner : columns, const_cast<float*>(a), 1,
               of.is_a_turned ? rows : inner, &kept, c, 1, columns, nullptr, &how);
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

void DenseLayer::forward(const float* x, Rows rows, float* y) const {
  for (std::size_t r = 0; r < rows.count; ++r) {
    std::copy(b_.w.begin(), b_.w.end(), y + r * outputs_);
  }
  multiply({.rows = rows.count,
            .columns = outputs_,
            .inner = inputs_,
            .adds = true,
            .precision = rows.precision},
           x, w_.w.data(), y);
}

void DenseLayer::backward(const float* x, const float* dy, Rows rows, float* dx, bool adds) {
  multiply({.rows = inputs_,
            .columns = outputs_,
            .inner = rows.count,
            .is_a_turned = true,
            .adds = true,
            .precision = rows.precision},
           x, dy, w_.gradient.data());
  std::vector<float>& gradient = b_.gradient;
  for (std::size_t r = 0; r < rows.count; ++r) {
    for (std::size_t o = 0; o < outputs_; ++o) gradient[o] += dy[r * outputs_ + o];
  }
  if (dx == nullptr) return;
  multiply({.rows = rows.count,
            .columns = inputs_,
            .inner = outputs_,
            .is_b_turned = true,
            .adds = adds,
            .precision = rows.precision},
           dy, w_.w.data(), dx);
}

}  // namespace attune
