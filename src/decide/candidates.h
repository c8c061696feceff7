// Candidates: which items are considered, from where, and how good the model finds them.
#pragma once
#include <string_view>
#include <vector>

#include "decide/decide.h"

namespace attune {

struct Candidate {
  const Item* item = nullptr;
  std::string_view source;
  float neighbour = 0;    // item-item score, 0 = none
  double logit = 0;       // of the model
  double popularity = 0;  // smoothed rate
  double score = 0;       // what ranks: popularity or probability, after boosts
  std::int32_t rank_by_model = 0;
  std::int32_t rank_by_rules = 0;
  std::vector<std::string> rules;
};

// Not hidden, not seen within the window, at most placement.candidates.
std::vector<Candidate> find_candidates(const DecideRequest& request, const Profile& person,
                                       const Placement& placement, const Published& published,
                                       Time now);
// Fills logit and popularity.
void score_candidates(std::vector<Candidate>& candidates, const RowBuilder& rows,
                      const Published& published, Time now);

}  // namespace attune
