// The mean of a figure that each group has (an NDCG of a search, a list of a person), as a measure:
// groups are what is independent, so its interval is made of them. Pure.
#pragma once
#include <compare>
#include <string>
#include <string_view>
#include <vector>

#include "stat/measure.h"

namespace attune {

inline constexpr std::string_view kOverGroups = "normal over groups";  // method of such intervals

// A figure of one group, in [0, 1], and what a random order of it has on average.
struct OfGroup {
  double value = 0, at_random = 0;
  auto operator<=>(const OfGroup&) const = default;
};

// The same whatever the order of the groups. undefined: why it has no value, when there are none.
Measure mean_over_groups(std::string name, std::vector<OfGroup> groups, const char* undefined);

}  // namespace attune
