// What logits mean. Pure; safe to share.
#pragma once
#include <algorithm>
#include <cmath>

namespace attune {

// Beyond it a probability in single precision is 0 or 1.
inline constexpr float kMostLogit = 16;

// In (0, 1); 0.5 for what is not a number.
inline float probability(float logit) {
  if (!(std::abs(logit) <= kMostLogit)) {
    if (std::isnan(logit)) return 0.5F;
    logit = std::copysign(kMostLogit, logit);
  }
  return 1 / (1 + std::exp(-logit));
}

}  // namespace attune
