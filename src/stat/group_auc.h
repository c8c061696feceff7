// GroupAuc: AUC inside each group (a person, a query), weighted by the group's rows (GAUC, Zhu et
// al. 2017): what a ranker needs, which never compares rows of two groups. One thread.
#pragma once
#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "stat/measure.h"

namespace attune {

class GroupAuc {
 public:
  void add(std::string_view group, float p, bool label);
  std::uint64_t groups() const { return rows_.size(); }
  // "gauc". The interval is normal over the groups with both classes, the others say nothing.
  Measure measure() const;

 private:
  struct Scores {
    std::vector<std::uint8_t> labels;
    std::vector<double> p;
  };
  std::unordered_map<std::string, Scores> rows_;
};

}  // namespace attune
