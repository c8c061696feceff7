#include "model/factor_solver.h"

#include <algorithm>

#include "base/result.h"
#include "model/float8.h"

namespace attune {
namespace {

// to += factor * from
void add(float factor, std::span<const float> from, float* to) {
  for (std::size_t i = 0; i < from.size(); i += 8) {
    multiply_add(Float8(factor), Float8::load(&from[i]), Float8::load(to + i)).store(to + i);
  }
}

}  // namespace

float product(std::span<const float> a, const float* b) {
  Float8 even, odd;
  std::size_t i = 0;
  for (; i + 16 <= a.size(); i += 16) {
    even = multiply_add(Float8::load(&a[i]), Float8::load(b + i), even);
    odd = multiply_add(Float8::load(&a[i + 8]), Float8::load(b + i + 8), odd);
  }
  if (i < a.size()) even = multiply_add(Float8::load(&a[i]), Float8::load(b + i), even);
  return sum(even + odd);
}

std::vector<float> gram_of(std::span<const float> vectors, const FactorRidge& ridge) {
  const std::size_t size = ridge.size;
  std::vector<float> gram(size * size, 0);
  for (std::size_t at = 0; at < vectors.size(); at += size) {
    for (std::size_t row = 0; row < size; ++row) {
      add(vectors[at + row], vectors.subspan(at, size), &gram[row * size]);
    }
  }
  for (float& number : gram) number *= static_cast<float>(ridge.all);
  return gram;
}

FactorSolver::FactorSolver(std::span<const float> vectors, std::span<const float> gram,
                           const FactorRidge& ridge)
    : vectors_(vectors),
      gram_(gram),
      options_(ridge),
      rest_(ridge.size),
      direction_(ridge.size),
      image_(ridge.size) {
  CHECK(ridge.size > 0 && ridge.size % 8 == 0 && gram.size() == ridge.size * ridge.size);
}

void FactorSolver::solve(std::span<const std::uint32_t> taken, float* x) {
  const std::size_t size = options_.size;
  const double count = static_cast<double>(taken.size());
  const double all = static_cast<double>(vectors_.size() / size);
  ridge_ = static_cast<float>(options_.ridge * (count + options_.all * all));
  apply(taken, x, rest_.data());
  for (float& number : rest_) number = -number;
  for (const std::uint32_t i : taken) add(1, vector(i), rest_.data());
  direction_ = rest_;
  float left = product(rest_, rest_.data());
  for (int step = 0; step < options_.steps && left > 1e-20F; ++step) {
    apply(taken, direction_.data(), image_.data());
    const float bend = product(direction_, image_.data());
    if (!(bend > 0)) return;
    add(left / bend, direction_, x);
    add(-left / bend, image_, rest_.data());
    const float next = product(rest_, rest_.data());
    for (std::size_t i = 0; i < size; ++i) direction_[i] = rest_[i] + next / left * direction_[i];
    left = next;
  }
}

// to = (all * gram + sum over taken of q q' + ridge) * from
void FactorSolver::apply(std::span<const std::uint32_t> taken, const float* from, float* to) const {
  const std::size_t size = options_.size;
  for (std::size_t row = 0; row < size; ++row) {
    to[row] = product(gram_.subspan(row * size, size), from) + ridge_ * from[row];
  }
  for (const std::uint32_t i : taken) add(product(vector(i), from), vector(i), to);
}

}  // namespace attune
