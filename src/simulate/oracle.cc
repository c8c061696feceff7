#include "simulate/oracle.h"

#include <algorithm>
#include <limits>

namespace attune {

Oracle::Oracle(const World& world)
    : world_(world),
      mixture_(kWorldTastes * kWorldItems),
      quality_(kWorldItems),
      score_(kWorldItems) {
  for (std::size_t i = 0; i < kWorldItems; ++i) {
    for (std::size_t d = 0; d < kWorldTastes; ++d) {
      mixture_[d * kWorldItems + i] = static_cast<float>(kWorldSlope * world.mixture(i)[d]);
    }
    quality_[i] = static_cast<float>(world.quality(i));
  }
}

double Oracle::rate(std::size_t person, double day, std::span<const std::size_t> excluded,
                    std::size_t n) {
  const Taste taste = world_.taste(person, day);
  score_ = quality_;
  for (std::size_t d = 0; d < kWorldTastes; ++d) {
    const float weight = static_cast<float>(taste[d]);
    const float* const row = &mixture_[d * kWorldItems];
    for (std::size_t i = 0; i < kWorldItems; ++i) score_[i] += weight * row[i];
  }
  for (const std::size_t i : excluded) score_[i] = -std::numeric_limits<float>::infinity();
  best_.clear();  // the n best so far, best first
  for (std::size_t i = 0; i < kWorldItems; ++i) {
    if (score_[i] == -std::numeric_limits<float>::infinity()) continue;
    if (best_.size() == n && !(score_[i] > score_[best_.back()])) continue;
    if (best_.size() == n) best_.pop_back();
    const auto at = std::find_if(best_.begin(), best_.end(),
                                 [&](std::size_t other) { return score_[i] > score_[other]; });
    best_.insert(at, i);
  }
  double sum = 0;
  for (const std::size_t i : best_) sum += world_.p_click(person, i, day);
  return best_.empty() ? 0 : sum / static_cast<double>(best_.size());
}

}  // namespace attune
