#include "model/implicit_factors.h"

#include <algorithm>
#include <cmath>

#include "base/result.h"
#include "base/rng.h"
#include "model/float8.h"

namespace attune {
namespace {

constexpr double kFirstSpread = 0.1;  // of a vector's length at first

float product(const float* a, const float* b, std::size_t size) {
  Float8 even, odd;
  std::size_t i = 0;
  for (; i + 16 <= size; i += 16) {
    even = multiply_add(Float8::load(a + i), Float8::load(b + i), even);
    odd = multiply_add(Float8::load(a + i + 8), Float8::load(b + i + 8), odd);
  }
  if (i < size) even = multiply_add(Float8::load(a + i), Float8::load(b + i), even);
  return sum(even + odd);
}

// to += factor * from
void add(float factor, const float* from, float* to, std::size_t size) {
  for (std::size_t i = 0; i < size; i += 8) {
    multiply_add(Float8(factor), Float8::load(from + i), Float8::load(to + i)).store(to + i);
  }
}

// weight * sum of the outer products of the vectors.
std::vector<float> gram_of(const std::vector<float>& vectors, std::size_t size, float weight) {
  std::vector<float> gram(size * size, 0);
  for (std::size_t at = 0; at < vectors.size(); at += size) {
    for (std::size_t row = 0; row < size; ++row) {
      add(vectors[at + row], &vectors[at], &gram[row * size], size);
    }
  }
  for (float& number : gram) number *= weight;
  return gram;
}

// One side of the matrix, solved for while the other stands.
class Side {
 public:
  Side(const std::vector<float>& others, std::size_t size, const ImplicitFactorsOptions& options)
      : others_(others),
        size_(size),
        options_(options),
        gram_(gram_of(others, size, static_cast<float>(options.all))),
        rest_(size),
        direction_(size),
        image_(size) {}

  // x: the vector of one who took `taken`; where to start, and the answer.
  void solve(std::span<const std::uint32_t> taken, float* x) {
    const double count = static_cast<double>(taken.size());
    const double all = static_cast<double>(others_.size() / size_);
    ridge_ = static_cast<float>(options_.ridge * (count + options_.all * all));
    apply(taken, x, rest_.data());
    for (float& number : rest_) number = -number;
    for (const std::uint32_t i : taken) add(1, vector(i), rest_.data(), size_);
    direction_ = rest_;
    float left = product(rest_.data(), rest_.data(), size_);
    for (int step = 0; step < options_.steps && left > 1e-20F; ++step) {
      apply(taken, direction_.data(), image_.data());
      const float bend = product(direction_.data(), image_.data(), size_);
      if (!(bend > 0)) return;
      add(left / bend, direction_.data(), x, size_);
      add(-left / bend, image_.data(), rest_.data(), size_);
      const float next = product(rest_.data(), rest_.data(), size_);
      for (std::size_t i = 0; i < size_; ++i) {
        direction_[i] = rest_[i] + next / left * direction_[i];
      }
      left = next;
    }
  }

 private:
  const float* vector(std::uint32_t i) const { return &others_[i * size_]; }

  // to = (all * gram + sum over taken of q q' + ridge) * from
  void apply(std::span<const std::uint32_t> taken, const float* from, float* to) const {
    for (std::size_t row = 0; row < size_; ++row) {
      to[row] = product(&gram_[row * size_], from, size_) + ridge_ * from[row];
    }
    for (const std::uint32_t i : taken) add(product(vector(i), from, size_), vector(i), to, size_);
  }

  const std::vector<float>& others_;
  const std::size_t size_;
  const ImplicitFactorsOptions& options_;
  const std::vector<float> gram_;
  float ridge_ = 0;
  std::vector<float> rest_, direction_, image_;
};

void solve_all(const Interactions& rows, const std::vector<float>& others,
               const ImplicitFactorsOptions& options, std::vector<float>& vectors) {
  Side side(others, options.size, options);
  for (std::uint32_t i = 0; i < rows.persons(); ++i) {
    side.solve(rows.row(i), &vectors[i * options.size]);
  }
}

}  // namespace

ImplicitFactors::ImplicitFactors(const Interactions& train, const ImplicitFactorsOptions& options)
    : size_(options.size),
      persons_(train.persons() * options.size, 0),
      items_(train.items() * options.size) {
  CHECK(options.size > 0 && options.size % 8 == 0);
  Rng rng(options.seed);
  const double spread = kFirstSpread / std::sqrt(static_cast<double>(size_));
  for (float& number : items_) number = static_cast<float>(rng.normal() * spread);
  const Interactions takers = train.transposed();
  for (int round = 0; round < options.rounds; ++round) {
    solve_all(train, items_, options, persons_);
    solve_all(takers, persons_, options, items_);
  }
}

void ImplicitFactors::score(std::uint32_t first, std::size_t count, std::span<float> scores) const {
  CHECK(first + count <= persons() && scores.size() == count * items());
  for (std::size_t item = 0; item < items(); ++item) {
    const float* const q = &items_[item * size_];
    for (std::size_t i = 0; i < count; ++i) {
      scores[i * items() + item] = product(&persons_[(first + i) * size_], q, size_);
    }
  }
}

}  // namespace attune
