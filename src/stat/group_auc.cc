#include "stat/group_auc.h"

#include <algorithm>
#include <cmath>

namespace attune {

void GroupAuc::add(std::string_view group, float p, bool label) {
  if (!(p >= 0 && p <= 1)) return;
  Scores& scores = rows_[std::string(group)];
  scores.p.push_back(p);
  scores.labels.push_back(label ? 1 : 0);
}

Measure GroupAuc::measure() const {
  Measure gauc{.name = "gauc", .method = "normal over groups"};
  std::vector<std::pair<double, double>> parts;  // rows, AUC
  for (const auto& [group, scores] : rows_) {
    if (const auto one = auc(scores.labels, scores.p)) {
      parts.emplace_back(static_cast<double>(scores.p.size()), *one);
    }
  }
  if (parts.empty()) {
    gauc.undefined = "no group has rows of both classes";
    return gauc;
  }
  std::sort(parts.begin(), parts.end());  // the sum is the same whatever the order of the table
  double rows = 0, sum = 0;
  for (const auto& [n, one] : parts) {
    rows += n;
    sum += n * one;
  }
  const double value = sum / rows, mean_rows = rows / static_cast<double>(parts.size());
  double residual = 0, residual_squared = 0;
  for (const auto& [n, one] : parts) {
    const double r = n / mean_rows * (one - value);
    residual += r;
    residual_squared += r * r;
  }
  gauc.value = value;
  const auto about = normal_interval(residual, residual_squared, static_cast<double>(parts.size()));
  if (about)
    gauc.interval = {std::max(0.0, value + about->low), std::min(1.0, value + about->high)};
  gauc.baseline = 0.5;
  gauc.compared_with = "any order";
  return gauc;
}

}  // namespace attune
