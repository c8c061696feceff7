// WouldChange: the smallest single change that would have put another item in a shown item's place,
// worked out from the decision's record alone. Pure.
#pragma once
#include <optional>
#include <string>

#include "event/decision.h"

namespace attune {

struct WouldChange {
  std::string part;  // name of a part of the score, or "boost", "pin", "popularity", "score"
  double from = 0;
  double to = 0;     // at or just beyond this value; 0 of a name=value part: were it absent
  double score = 0;  // the item's own, then
  std::string then;  // the item that would take its place
};

// nullopt: nothing about this item would, because its place was drawn at random, or because no
// other item was allowed there. Parts that all shown items have alike would move the others as well
// and are left aside.
std::optional<WouldChange> would_change(const Decision& decision, const ShownItem& item);

// The same in one plain sentence; says why when there is none.
std::string would_change_sentence(const Decision& decision, const ShownItem& item);

}  // namespace attune
