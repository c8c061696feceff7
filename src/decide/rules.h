// Rules of a placement and the filling of a slate: pins, category caps, exploration.
#pragma once
#include <span>
#include <string>
#include <vector>

#include "decide/candidates.h"
#include "decide/diversity.h"

namespace attune {

bool is_hidden_by_rule(const Item& item, std::span<const Rule> rules);
// Product of the boosts that fit the item.
double boost_of(const Item& item, std::span<const Rule> rules);
// What freshness leaves of an item's score: (1 - freshness) + freshness * 2^(-age / half-life).
double freshness_factor(const Item& item, const Placement& placement, Time now);

struct Placed {
  std::size_t candidate = 0;
  double propensity = 1;
  bool is_explored = false;  // drawn at random, be it the best one
  double diversity = 1;      // share of its score that those above left it
};

struct Filling {
  const Placement& placement;
  int n = 10;
  Likeness* likeness = nullptr;  // null = diversity is off
  Rng* rng = nullptr;            // null = no exploration
};

// Fills n places. order: candidates, best first, pinned ones left out. Each place without a pin
// takes the eligible one worth most below those above it, or with probability epsilon any of the m
// eligible ones, each with chance 1/m.
std::vector<Placed> fill_slate(std::span<const Candidate> candidates,
                               std::vector<std::size_t> order, const Filling& filling);

struct Instead {
  std::size_t other = 0;  // 1 + index in `others`; 0 = none of them
  double score = 0;       // below this the item would have to fall; its own score at most
};
// For each place of the slate, the one of `others` (best first, none in the slate) that the caps
// would let in and that is worth most if its item were not there. variety: with all of the slate
// placed; null = diversity is off.
std::vector<Instead> instead_of(std::span<const Candidate> candidates,
                                std::span<const Placed> slate, std::span<const std::size_t> others,
                                const Placement& placement, const Variety* variety);

// What the rules did to a candidate, in words.
std::vector<std::string> rule_sentences(const Candidate& candidate, const Placement& placement,
                                        Time now);

}  // namespace attune
