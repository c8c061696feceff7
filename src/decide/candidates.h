// Which items are scored for one request, each with where it came from.
#pragma once
#include <optional>
#include <string_view>
#include <vector>

#include "decide/decide.h"

namespace attune {

struct Candidate {
  const Item* item = nullptr;  // owned by the published catalog
  std::string_view
      source;  // "request", "item_item", "persons_alike", "factors", "popular", "latest", "pin"
  float neighbour = 0;       // ItemItem's score, 0 = none
  std::optional<Time> seen;  // within the seen window: only pins come through
  int pin = -1;              // place it is pinned to, -1 = none
  double logit = 0;
  double p = 0.5;     // of a click
  double base = 0;    // before rules: p, or the popularity score
  double score = 0;   // after boosts and freshness
  double second = 0;  // decides between equal scores, then the item id
  std::int32_t rank_by_model = 0;
  std::int32_t rank_by_boosts = 0;
  std::int32_t rank_by_rules = 0;
  std::int32_t rank_by_diversity = 0;
};

// history: the profile used for taste (blank when it may not be); that of the asker is used for the
// seen window. Hidden, hidden by rule and seen items are left out; pins within the first n places
// are in.
std::vector<Candidate> collect_candidates(const DecideRequest& request, const Profile& history,
                                          const Asker& asker, const Occasion& on, bool is_learned);

// Scores of the items that go with the person's last ones.
std::vector<Neighbour> neighbours_of(const Profile& history, const Placement& placement,
                                     const Published& published);

}  // namespace attune
