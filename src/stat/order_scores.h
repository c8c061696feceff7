// OrderScores: whether rows of a group (a search, a slate, a test) come in the right order by a
// score, which need be no probability, and by labels of any kind. One thread.
#pragma once
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "stat/measure.h"

namespace attune {

// Whole numbers from 0 to 31: a row of grade g is worth 2^g - 1, as is usual.
bool are_grades(std::span<const float> labels);

// What each row of a group is worth at the top: by its grade; of labels that are no grades the rows
// with the largest are worth 1, the others nothing, and nobody anything where all are alike.
std::vector<double> gains_of(std::span<const float> labels, bool are_grades);

class OrderScores {
 public:
  // A score that is NaN is the lowest.
  void add(std::string_view group, float score, float label);
  std::uint64_t groups() const { return rows_.size(); }
  // "ndcg_at_5", "ndcg_at_10": over groups with a row of any gain. "mrr": 1 / the place of the
  // first of the rows with the largest label; "pairwise_accuracy": of pairs of different labels,
  // those in the right order, equal scores half; both over groups whose labels are not all alike.
  // Equal scores count against the ranker. Intervals are normal over groups; the baseline is what a
  // random order has on average. O(n log n).
  std::vector<Measure> measures() const;

 private:
  struct Scores {
    std::vector<float> scores, labels;
  };
  std::unordered_map<std::string, Scores> rows_;
};

// Of pairs of rows whose labels differ: how many there are, and how many come in the right order.
struct OrderedPairs {
  double pairs = 0, right = 0;
};
OrderedPairs ordered_pairs(std::span<const float> scores, std::span<const float> labels);

}  // namespace attune
