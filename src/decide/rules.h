// Rules of a placement and the filling of a slate: pins, category caps, exploration.
#pragma once
#include <span>
#include <string>
#include <vector>

#include "decide/candidates.h"

namespace attune {

bool is_hidden_by_rule(const Item& item, std::span<const Rule> rules);
// Product of the boosts that fit the item.
double boost_of(const Item& item, std::span<const Rule> rules);

struct Placed {
  std::size_t candidate = 0;
  double propensity = 1;
  bool is_explored = false;  // drawn at random, be it the best one
};

// Fills n places. order: candidates, best first, pinned ones left out. Each place without a pin
// takes the best eligible one, or with probability epsilon any of the m eligible ones, each with
// chance 1/m. No rng = no exploration.
std::vector<Placed> fill_slate(std::span<const Candidate> candidates,
                               std::vector<std::size_t> order, const Placement& placement, int n,
                               Rng* rng);

// For each place of the slate, 1 + the index in `others` (best first, none in the slate) of the one
// the caps would let in if its item were not there; 0 = none of them.
std::vector<std::size_t> instead_of(std::span<const Candidate> candidates,
                                    std::span<const Placed> slate,
                                    std::span<const std::size_t> others,
                                    const Placement& placement);

// What the rules did to a candidate, in words.
std::vector<std::string> rule_sentences(const Candidate& candidate, std::span<const Rule> rules,
                                        Time now);

}  // namespace attune
