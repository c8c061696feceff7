#include "stat/group_mean.h"

#include <algorithm>
#include <utility>

namespace attune {

Measure mean_over_groups(std::string name, std::vector<OfGroup> groups, const char* undefined) {
  Measure out{.name = std::move(name), .method = kOverGroups};
  if (groups.empty()) {
    out.undefined = undefined;
    return out;
  }
  std::sort(groups.begin(), groups.end());  // the sum is the same whatever the order of the table
  double sum = 0, squares = 0, at_random = 0;
  for (const OfGroup& group : groups) {
    sum += group.value;
    squares += group.value * group.value;
    at_random += group.at_random;
  }
  const auto n = static_cast<double>(groups.size());
  out.value = sum / n;
  if (const auto about = normal_interval(sum, squares, n)) {
    out.interval = {std::max(0.0, about->low), std::min(1.0, about->high)};
  }
  out.baseline = at_random / n;
  out.compared_with = "any order";
  return out;
}

}  // namespace attune
