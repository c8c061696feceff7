#include "model/item_similarity.h"

#include <algorithm>
#include <cmath>

#include "base/result.h"

namespace attune {
ItemSimilarity::ItemSimilarity(const Interactions& train, const ItemSimilarityOptions& options)
    : begins_{0} {
  const std::vector<float> in = powers(train.counts(), options.in);
  const std::vector<float> out = powers(train.counts(), options.out);
  const auto shrink = static_cast<float>(options.shrink);
  const Interactions takers = train.transposed();
  const std::vector<float> weights = powers(takers.counts(), -options.user);
  std::vector<float> sums(train.items(), 0);
  std::vector<std::uint32_t> touched;
  for (std::uint32_t i = 0; i < train.items(); ++i) {
    touched.clear();
    for (const std::uint32_t person : takers.row(i)) {
      for (const std::uint32_t j : train.row(person)) {
        if (sums[j] == 0) touched.push_back(j);
        sums[j] += weights[person];
      }
    }
    for (const std::uint32_t j : touched) {
      if (j != i) pairs_.push_back({j, sums[j] / (in[i] * out[j] + shrink)});
      sums[j] = 0;
    }
    begins_.push_back(pairs_.size());
  }
}

void ItemSimilarity::score(std::span<const std::uint32_t> history, std::span<float> scores) const {
  CHECK(scores.size() == items());
  std::fill(scores.begin(), scores.end(), 0.0F);
  for (const std::uint32_t i : history) {
    for (std::size_t at = begins_[i]; at < begins_[i + 1]; ++at) {
      scores[pairs_[at].item] += pairs_[at].weight;
    }
  }
}

}  // namespace attune
