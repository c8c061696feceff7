// FactorSolver: the vector of one who took some items, the items' vectors given: the ridge solve of
// implicit factors (implicit_factors.h has what is made least). One thread.
#pragma once
#include <cstdint>
#include <span>
#include <vector>

namespace attune {

struct FactorRidge {
  std::size_t size = 64;  // of a vector; a multiple of 8
  double all = 0.01;      // weight of a pair that was not taken
  double ridge = 0.003;
  int steps = 3;  // of conjugate gradients
};

// a.b; both of a length that is a multiple of 8.
float product(std::span<const float> a, const float* b);

// all * the sum of the outer products of the vectors, size * size numbers. O(vectors * size^2).
std::vector<float> gram_of(std::span<const float> vectors, const FactorRidge& ridge);

class FactorSolver {
 public:
  // The vectors one after the other, and their gram_of: both must outlive it.
  FactorSolver(std::span<const float> vectors, std::span<const float> gram,
               const FactorRidge& ridge);
  // x: of one who took `taken`; where to start, and the answer. O(steps * (size + items) * size).
  void solve(std::span<const std::uint32_t> taken, float* x);

 private:
  std::span<const float> vector(std::uint32_t i) const {
    return vectors_.subspan(i * options_.size, options_.size);
  }
  void apply(std::span<const std::uint32_t> taken, const float* from, float* to) const;

  const std::span<const float> vectors_, gram_;
  const FactorRidge options_;
  float ridge_ = 0;
  std::vector<float> rest_, direction_, image_;
};

}  // namespace attune
