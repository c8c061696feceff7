#include "model/person_similarity.h"

#include <algorithm>
#include <cmath>

#include "base/result.h"

namespace attune {
PersonSimilarity::PersonSimilarity(const Interactions& train,
                                   const PersonSimilarityOptions& options)
    : train_(train),
      options_(options),
      takers_(train.transposed()),
      rare_(powers(train.counts(), -options.rare)),
      out_(powers(train.counts(), -options.out)),
      lengths_(powers(takers_.counts(), -0.5)),
      sums_(train.persons(), 0) {}

// The most alike into found_, in the order of persons.
void PersonSimilarity::find_neighbours(std::uint32_t person,
                                       std::span<const std::uint32_t> history) {
  found_.clear();
  for (const std::uint32_t item : history) {
    for (const std::uint32_t other : takers_.row(item)) {
      if (other == person) continue;
      if (sums_[other] == 0) found_.push_back({0, other});
      sums_[other] += rare_[item];
    }
  }
  for (Neighbour& one : found_) {
    one.likeness = sums_[one.person] * lengths_[one.person];
    sums_[one.person] = 0;
  }
  if (found_.size() > options_.neighbours) {
    const auto end = found_.begin() + static_cast<std::ptrdiff_t>(options_.neighbours);
    std::nth_element(found_.begin(), end, found_.end(), [](const Neighbour& a, const Neighbour& b) {
      return a.likeness != b.likeness ? a.likeness > b.likeness : a.person < b.person;
    });
    found_.erase(end, found_.end());
  }
  std::sort(found_.begin(), found_.end(),
            [](const Neighbour& a, const Neighbour& b) { return a.person < b.person; });
}

void PersonSimilarity::score(std::uint32_t person, std::span<const std::uint32_t> history,
                             std::span<float> scores) {
  CHECK(scores.size() == train_.items());
  std::fill(scores.begin(), scores.end(), 0.0F);
  find_neighbours(person, history);
  for (const Neighbour& one : found_) {
    for (const std::uint32_t item : train_.row(one.person)) scores[item] += one.likeness;
  }
  if (options_.out == 0) return;
  for (std::size_t item = 0; item < scores.size(); ++item) scores[item] *= out_[item];
}

}  // namespace attune
