// OutcomeSource: what came of the items a workspace showed, as labelled rows in the order in which
// that was known: the very rows the live learner learns from. A row it would not learn from (of
// somebody who answers nearly everything) has weight 0. One thread.
#pragma once
#include <span>

#include "base/time.h"
#include "learn/block_source.h"

namespace attune {

class OutcomeSource : public BlockSource {
 public:
  // Parallel to the rows last handed out: when the outcome was known. Ascending, but for steps of
  // the clock.
  virtual std::span<const Time> times() const = 0;
};

}  // namespace attune
