// ImplicitFactors: persons and items as short vectors whose product says how much one would like
// the other (matrix factorisation of what was taken, iALS: Hu et al. 2008, Rendle et al. 2022). For
// batch evaluation. Deterministic for a seed. Immutable once made: safe to share.
#pragma once
#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "model/interactions.h"

namespace attune {

// Least sum over pairs taken of (1 - p.q)^2 + all * sum over all pairs of (p.q)^2 + the sum over
// persons of ridge * (their items + all * items) * |p|^2, and likewise over items.
struct ImplicitFactorsOptions {
  std::size_t size = 128;  // of a vector; a multiple of 8
  double all = 0.01;       // weight of a pair that was not taken
  double ridge = 0.003;
  int rounds = 8;  // of solving for persons, then items
  int steps = 3;   // of conjugate gradients for each, from where it was the round before
  std::uint64_t seed = 1;
};

class ImplicitFactors {
 public:
  // O(rounds * steps * ((persons + items) * size^2 + pairs * size)); memory: 4 bytes a number, size
  // numbers a person and an item. Calls `between` now and then, between two parts of the work.
  ImplicitFactors(const Interactions& train, const ImplicitFactorsOptions& options,
                  const std::function<void()>& between = nullptr);
  // Scores of every item for persons first .. first + count - 1, those of one after the other's:
  // count * items floats.
  void score(std::uint32_t first, std::size_t count, std::span<float> scores) const;
  std::span<const float> person_vectors() const { return persons_; }
  std::span<const float> item_vectors() const { return items_; }
  std::size_t persons() const { return persons_.size() / size_; }
  std::size_t items() const { return items_.size() / size_; }

 private:
  const std::size_t size_;
  std::vector<float> persons_, items_;  // vectors one after the other
};

}  // namespace attune
