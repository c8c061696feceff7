// OutcomeSink: who hears of each outcome as the live learner learns from it, in order.
#pragma once
#include "learn/outcome_join.h"

namespace attune {

class OutcomeSink {
 public:
  virtual ~OutcomeSink() = default;
  // weight: of the step, 0 = it teaches nothing. live: P(engagement) by the live learner before it
  // learned from the outcome. A provisional negative is learned from and not counted.
  virtual void add(const Outcome& outcome, double weight, double live) = 0;
};

}  // namespace attune
