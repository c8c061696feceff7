// Which rows teach a model something. Pure; safe to share.
#pragma once
#include <cmath>

namespace attune {

inline constexpr float kMaxRowWeight = 1e6F;
inline constexpr float kMaxLabel = 1e15F;

inline bool is_label(float label, bool of_probability) {
  return of_probability ? label >= 0 && label <= 1 : std::abs(label) <= kMaxLabel;
}
inline bool is_row_weight(float weight) { return weight > 0 && weight <= kMaxRowWeight; }

}  // namespace attune
