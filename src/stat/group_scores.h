// GroupScores: how well rows are ordered inside each group (a person, a query): what a ranker
// needs, which never compares rows of two groups. One thread.
#pragma once
#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "stat/measure.h"

namespace attune {

class GroupScores {
 public:
  void add(std::string_view group, float p, bool label);
  std::uint64_t groups() const { return rows_.size(); }
  // "gauc": AUC inside a group, weighted by its rows (GAUC, Zhu et al. 2017), of groups with both
  // classes. "ndcg_at_K", "recall_at_K", "precision_at_K" (hits / K): of the first K rows of a
  // group by p, ties against the ranker; means over groups with a row of class 1. Intervals are
  // normal over groups; the baseline is what a random order has on average.
  std::vector<Measure> measures(std::size_t k) const;

 private:
  struct Scores {
    std::vector<std::uint8_t> labels;
    std::vector<float> p;
  };
  Measure gauc() const;
  std::unordered_map<std::string, Scores> rows_;
};

}  // namespace attune
