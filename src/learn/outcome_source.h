// OutcomeSource: what came of the items a workspace showed, as labelled rows in the order in which
// that was known: the very rows the live learner learns from, or the same items with a label for
// each of several verbs. A row the learner would not learn from (of somebody who answers nearly
// everything) has weight 0. One thread.
#pragma once
#include <cstdint>
#include <span>

#include "base/time.h"
#include "learn/block_source.h"

namespace attune {

class OutcomeSource : public BlockSource {
 public:
  // Parallel to the rows last handed out: when the outcome was known. Ascending, but for steps of
  // the clock.
  virtual std::span<const Time> times() const = 0;
  // After the last row, of labels by verb: shown items whose window has not ended; and of how many
  // persons one was followed, as more waited at once than there is memory for.
  virtual std::uint64_t open_items() const { return 0; }
  virtual std::uint64_t one_in() const { return 1; }
};

}  // namespace attune
