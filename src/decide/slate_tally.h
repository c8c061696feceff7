// SlateTally: how varied, how fresh and how alike a set of slates is, and what clicks the model
// expects of them. One thread.
#pragma once
#include <map>
#include <set>
#include <string>

#include "catalog/catalog.h"
#include "event/decision.h"

namespace attune {

struct SlateFigures {
  std::uint64_t slates = 0;
  double places = 0;        // of a slate, on average, as are the next ones
  double categories = 0;    // different ones
  double entropy_bits = 0;  // of its categories
  double clicks = 0;        // sum of the model's chances of a click
  double age_days = 0;      // of an item
  std::uint64_t items = 0;  // different ones over all slates
  double coverage = 0;      // share of the items that may be shown
  double top_ten = 0;       // share of all places that the ten items shown most often hold
  double near_global = 0;   // share of slates that differ from the global one by at most two items
};

class SlateTally {
 public:
  // catalog: its items are counted once, here.
  explicit SlateTally(const Catalog& catalog);
  // global: what someone of whom nothing is known would get. Empty slates are left out.
  void add(const Decision& made, const Decision& global);
  SlateFigures figures() const;

 private:
  std::uint64_t may_be_shown_ = 0;
  const Catalog& catalog_;
  SlateFigures sums_;
  std::map<std::string, std::uint64_t> shown_;  // by item
};

}  // namespace attune
