#include "model/implicit_factors.h"

#include <cmath>

#include "base/result.h"
#include "base/rng.h"
#include "model/factor_solver.h"

namespace attune {
namespace {

constexpr std::uint32_t kPart = 1024;  // vectors solved for between two calls of `between`
constexpr double kFirstSpread = 0.1;   // of a vector's length at first

FactorRidge ridge_of(const ImplicitFactorsOptions& options) {
  return {options.size, options.all, options.ridge, options.steps};
}

void solve_all(const Interactions& rows, const std::vector<float>& others,
               const ImplicitFactorsOptions& options, const std::function<void()>& between,
               std::vector<float>& vectors) {
  const FactorRidge ridge = ridge_of(options);
  const std::vector<float> gram = gram_of(others, ridge);
  FactorSolver solver(others, gram, ridge);
  for (std::uint32_t i = 0; i < rows.persons(); ++i) {
    solver.solve(rows.row(i), &vectors[i * options.size]);
    if (between && (i + 1) % kPart == 0) between();
  }
}

}  // namespace

ImplicitFactors::ImplicitFactors(const Interactions& train, const ImplicitFactorsOptions& options,
                                 const std::function<void()>& between)
    : size_(options.size),
      persons_(train.persons() * options.size, 0),
      items_(train.items() * options.size) {
  CHECK(options.size > 0 && options.size % 8 == 0);
  Rng rng(options.seed);
  const double spread = kFirstSpread / std::sqrt(static_cast<double>(size_));
  for (float& number : items_) number = static_cast<float>(rng.normal() * spread);
  const Interactions takers = train.transposed();
  for (int round = 0; round < options.rounds; ++round) {
    solve_all(train, items_, options, between, persons_);
    solve_all(takers, persons_, options, between, items_);
  }
}

void ImplicitFactors::score(std::uint32_t first, std::size_t count, std::span<float> scores) const {
  CHECK(first + count <= persons() && scores.size() == count * items());
  for (std::size_t item = 0; item < items(); ++item) {
    const std::span<const float> q = item_vectors().subspan(item * size_, size_);
    for (std::size_t i = 0; i < count; ++i) {
      scores[i * items() + item] = product(q, &persons_[(first + i) * size_]);
    }
  }
}

}  // namespace attune
