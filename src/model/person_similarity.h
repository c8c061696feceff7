// PersonSimilarity: what the persons who took most alike took (user-user nearest neighbours). For
// batch evaluation. One thread.
#pragma once
#include <cstdint>
#include <span>
#include <vector>

#include "model/interactions.h"

namespace attune {

// Likeness of persons u and v: sum over what both took of d_i^-rare, over sqrt(d_u * d_v), d being
// counts in training; 0 for rare is the cosine. score(j) = d_j^-out * sum of the likeness of the
// `neighbours` most alike who took j.
struct PersonSimilarityOptions {
  std::size_t neighbours = 200;
  double rare = 0.5;
  double out = 0.2;
};

class PersonSimilarity {
 public:
  // Keeps training, which must outlive it, and its transpose: 4 bytes a pair.
  PersonSimilarity(const Interactions& train, const PersonSimilarityOptions& options);
  // scores[j] of every item j; 0 where nobody alike took it. history: what `person` took, who is no
  // neighbour of their own. O(takers of the history + items of the neighbours).
  void score(std::uint32_t person, std::span<const std::uint32_t> history, std::span<float> scores);

 private:
  struct Neighbour {
    float likeness = 0;
    std::uint32_t person = 0;
  };
  void find_neighbours(std::uint32_t person, std::span<const std::uint32_t> history);

  const Interactions& train_;
  const PersonSimilarityOptions options_;
  Interactions takers_;
  std::vector<float> rare_, out_;  // by item
  std::vector<float> lengths_;     // 1 / sqrt(d_v), by person
  std::vector<float> sums_;        // by person, 0 between calls
  std::vector<Neighbour> found_;
};

}  // namespace attune
