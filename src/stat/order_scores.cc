#include "stat/order_scores.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "stat/group_mean.h"

namespace attune {
namespace {

constexpr float kLargestGrade = 31;
constexpr std::size_t kPlaces[] = {5, 10};

double discount(std::size_t place) { return 1 / std::log2(static_cast<double>(place) + 2); }

float order_of(float score) { return std::isnan(score) ? -INFINITY : score; }

// Rows from the highest score on; of equal ones the worse first.
std::vector<std::size_t> order_by(std::span<const float> scores, std::span<const float> labels) {
  std::vector<std::size_t> order(scores.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
    const float x = order_of(scores[a]), y = order_of(scores[b]);
    return x != y ? x > y : labels[a] < labels[b];
  });
  return order;
}

// gains: of the rows in their order; one at least is above 0.
OfGroup ndcg(std::vector<double> gains, std::size_t places) {
  const std::size_t n = std::min(places, gains.size());
  double value = 0, best = 0, discounts = 0, sum = 0;
  for (std::size_t i = 0; i < n; ++i) {
    value += gains[i] * discount(i);
    discounts += discount(i);
  }
  for (const double gain : gains) sum += gain;
  std::sort(gains.begin(), gains.end(), std::greater<>());
  for (std::size_t i = 0; i < n; ++i) best += gains[i] * discount(i);
  return {value / best, sum / static_cast<double>(gains.size()) * discounts / best};
}

// labels: in the order of the rows, not all alike.
OfGroup reciprocal_rank(std::span<const float> labels) {
  const float most = *std::max_element(labels.begin(), labels.end());
  const auto first = std::find(labels.begin(), labels.end(), most) - labels.begin();
  const auto n = static_cast<double>(labels.size());
  const auto best = static_cast<double>(std::count(labels.begin(), labels.end(), most));
  double at_random = 0, chance = best / n;  // that the first of them is at this place
  for (double place = 1; chance > 0 && place <= n - best + 1; ++place) {
    at_random += chance / place;
    if (place < n) chance *= (n - place - best + 1) / (n - place);
  }
  return {1 / (static_cast<double>(first) + 1), at_random};
}

// Groups weigh as many pairs as they have.
Measure accuracy_of(std::vector<OrderedPairs> groups) {
  Measure out{.name = "pairwise_accuracy", .method = kOverGroups};
  if (groups.empty()) {
    out.undefined = "no group has rows of different labels";
    return out;
  }
  std::sort(groups.begin(), groups.end(), [](const OrderedPairs& a, const OrderedPairs& b) {
    return a.pairs != b.pairs ? a.pairs < b.pairs : a.right < b.right;
  });
  double pairs = 0, right = 0;
  for (const OrderedPairs& one : groups) {
    pairs += one.pairs;
    right += one.right;
  }
  const auto n = static_cast<double>(groups.size());
  const double value = right / pairs;
  double residual = 0, squares = 0;
  for (const OrderedPairs& one : groups) {
    const double r = (one.right - value * one.pairs) * n / pairs;
    residual += r;
    squares += r * r;
  }
  out.value = value;
  if (const auto about = normal_interval(residual, squares, n)) {
    out.interval = {std::max(0.0, value + about->low), std::min(1.0, value + about->high)};
  }
  out.baseline = 0.5;
  out.compared_with = "any order";
  return out;
}

}  // namespace

bool are_grades(std::span<const float> labels) {
  return std::all_of(labels.begin(), labels.end(), [](float label) {
    return label >= 0 && label <= kLargestGrade && label == std::floor(label);
  });
}

std::vector<double> gains_of(std::span<const float> labels, bool are_grades) {
  std::vector<double> gains;
  if (labels.empty()) return gains;
  const auto [least, most] = std::minmax_element(labels.begin(), labels.end());
  for (const float label : labels) {
    if (are_grades) {
      gains.push_back(std::exp2(static_cast<double>(label)) - 1);
    } else {
      gains.push_back(label == *most && *least < *most ? 1 : 0);
    }
  }
  return gains;
}

OrderedPairs ordered_pairs(std::span<const float> scores, std::span<const float> labels) {
  std::vector<float> values(labels.begin(), labels.end());
  std::sort(values.begin(), values.end());
  values.erase(std::unique(values.begin(), values.end()), values.end());
  // below(v): how many rows that came so far have a label less than values[v].
  std::vector<std::uint64_t> tree(values.size() + 1);
  const auto below = [&](std::size_t v) {
    std::uint64_t n = 0;
    for (; v > 0; v -= v & (~v + 1)) n += tree[v];
    return static_cast<double>(n);
  };
  const auto place = [&](float label) {
    return static_cast<std::size_t>(std::lower_bound(values.begin(), values.end(), label) -
                                    values.begin());
  };
  const auto come = [&](std::size_t v) {
    for (++v; v < tree.size(); v += v & (~v + 1)) ++tree[v];
  };
  const std::vector<std::size_t> order = order_by(scores, labels);
  OrderedPairs out;
  // From the lowest score up, those of one score together: a pair with a lower label that came
  // before is right, one inside the same score is half right.
  std::size_t end = order.size();
  std::vector<std::uint64_t> of_label(values.size());
  while (end > 0) {
    std::size_t begin = end - 1;
    const float score = order_of(scores[order[begin]]);
    while (begin > 0 && order_of(scores[order[begin - 1]]) == score) --begin;
    double before_alike = 0;
    for (std::size_t i = begin; i < end; ++i) out.right += below(place(labels[order[i]]));
    // Labels rise inside equal scores.
    for (std::size_t i = begin, same = begin; i < end; ++i) {
      if (labels[order[i]] != labels[order[same]]) same = i;
      before_alike += static_cast<double>(same - begin);
    }
    out.right += before_alike / 2;
    for (std::size_t i = begin; i < end; ++i) {
      const std::size_t v = place(labels[order[i]]);
      come(v);
      ++of_label[v];
    }
    end = begin;
  }
  const auto n = static_cast<double>(labels.size());
  out.pairs = n * n;
  for (const std::uint64_t same : of_label) {
    out.pairs -= static_cast<double>(same) * static_cast<double>(same);
  }
  out.pairs /= 2;
  return out;
}

void OrderScores::add(std::string_view group, float score, float label) {
  if (!std::isfinite(label)) return;
  Scores& scores = rows_[std::string(group)];
  scores.scores.push_back(score);
  scores.labels.push_back(label);
}

std::vector<Measure> OrderScores::measures() const {
  const bool is_graded = std::all_of(rows_.begin(), rows_.end(),
                                     [](const auto& one) { return are_grades(one.second.labels); });
  std::vector<OfGroup> by_places[std::size(kPlaces)], ranks;
  std::vector<OrderedPairs> pairs;
  for (const auto& [group, rows] : rows_) {
    const std::vector<std::size_t> order = order_by(rows.scores, rows.labels);
    std::vector<float> labels;
    for (const std::size_t row : order) labels.push_back(rows.labels[row]);
    const std::vector<double> gains = gains_of(labels, is_graded);
    const bool has_gain = std::any_of(gains.begin(), gains.end(), [](double g) { return g > 0; });
    for (std::size_t i = 0; has_gain && i < std::size(kPlaces); ++i) {
      by_places[i].push_back(ndcg(gains, kPlaces[i]));
    }
    const OrderedPairs one = ordered_pairs(rows.scores, rows.labels);
    if (one.pairs == 0) continue;
    pairs.push_back(one);
    ranks.push_back(reciprocal_rank(labels));
  }
  std::vector<Measure> out;
  for (std::size_t i = 0; i < std::size(kPlaces); ++i) {
    out.push_back(mean_over_groups("ndcg_at_" + std::to_string(kPlaces[i]), std::move(by_places[i]),
                                   is_graded ? "no group has a row with a label above 0"
                                             : "no group has rows of different labels"));
  }
  out.push_back(mean_over_groups("mrr", std::move(ranks), "no group has rows of different labels"));
  out.push_back(accuracy_of(std::move(pairs)));
  return out;
}

}  // namespace attune
