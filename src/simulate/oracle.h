// Oracle: who knows the truth of a World and shows the items a person would most likely click. Same
// answers as World::oracle_rate, many times faster: affinities in float over one item matrix; only
// the chosen items' probabilities are computed exactly. One thread (it keeps scratch memory).
#pragma once
#include <cstddef>
#include <span>
#include <vector>

#include "simulate/world.h"

namespace attune {

class Oracle {
 public:
  explicit Oracle(const World& world);  // the world must outlive it
  // Mean p_click of the n items the person would most likely click, `excluded` item indices left
  // out; 0 when none is left. n > 0.
  double rate(std::size_t person, double day, std::span<const std::size_t> excluded, std::size_t n);

 private:
  const World& world_;
  std::vector<float> mixture_;  // [taste][item]
  std::vector<float> quality_;  // [item]
  std::vector<float> score_;    // [item], of the last call
  std::vector<std::size_t> best_;
};

}  // namespace attune
