// OutcomeSink: who hears of each outcome as the live learner learns from it, in order.
#pragma once
#include "learn/outcome_join.h"

namespace attune {

class OutcomeSink {
 public:
  virtual ~OutcomeSink() = default;
  // is_taught: false = it is counted and teaches nothing. live: P(engagement) by the live learner
  // before it learned from the outcome.
  virtual void add(const Outcome& outcome, bool is_taught, double live) = 0;
};

}  // namespace attune
