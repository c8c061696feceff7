#include "stat/group_scores.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <span>

#include "stat/group_mean.h"
#include "stat/ranking.h"

namespace attune {
namespace {

struct OfList {
  OfGroup ndcg, recall, precision;
};

OfList score_group(std::span<const std::uint8_t> labels, std::span<const float> p, std::size_t k) {
  std::vector<std::uint32_t> relevant;
  for (std::uint32_t i = 0; i < labels.size(); ++i) {
    if (labels[i] != 0) relevant.push_back(i);
  }
  const std::vector<std::uint32_t> best = top_of({p, {}, relevant, k});
  std::vector<std::uint8_t> is_hit;
  for (const std::uint32_t row : best) is_hit.push_back(labels[row]);
  const std::vector<std::uint8_t> all_hits(best.size(), 1);
  const ListScore score = score_list(is_hit, relevant.size(), k);
  const auto rows = static_cast<double>(labels.size()), wanted = static_cast<double>(k);
  const auto shown = static_cast<double>(best.size());
  const double rate = static_cast<double>(relevant.size()) / rows;
  const double hits = std::accumulate(is_hit.begin(), is_hit.end(), 0.0);
  return {{score.ndcg, rate * score_list(all_hits, relevant.size(), k).ndcg},
          {score.recall, shown / rows},
          {hits / wanted, rate * shown / wanted}};
}

constexpr const char* kUndefined = "no group has a row of class 1";

}  // namespace

void GroupScores::add(std::string_view group, float p, bool label) {
  if (!(p >= 0 && p <= 1)) return;
  Scores& scores = rows_[std::string(group)];
  scores.p.push_back(p);
  scores.labels.push_back(label ? 1 : 0);
}

Measure GroupScores::gauc() const {
  Measure gauc{.name = "gauc", .method = kOverGroups};
  std::vector<std::pair<double, double>> parts;  // rows, AUC
  for (const auto& [group, scores] : rows_) {
    const std::vector<double> p(scores.p.begin(), scores.p.end());
    if (const auto one = auc(scores.labels, p)) {
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

std::vector<Measure> GroupScores::measures(std::size_t k) const {
  std::vector<OfGroup> ndcg, recall, precision;
  for (const auto& [group, scores] : rows_) {
    const bool has_hit = std::ranges::find(scores.labels, 1) != scores.labels.end();
    if (!has_hit) continue;
    const OfList one = score_group(scores.labels, scores.p, k);
    ndcg.push_back(one.ndcg);
    recall.push_back(one.recall);
    precision.push_back(one.precision);
  }
  const std::string at = "_at_" + std::to_string(k);
  return {gauc(), mean_over_groups("ndcg" + at, std::move(ndcg), kUndefined),
          mean_over_groups("recall" + at, std::move(recall), kUndefined),
          mean_over_groups("precision" + at, std::move(precision), kUndefined)};
}

}  // namespace attune
