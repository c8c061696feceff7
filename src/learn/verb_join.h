// VerbJoin: shown items and what happened to each until its window ended: labels of a model of
// several tasks. Unlike in OutcomeJoin (learn/outcome_join.h) an item stays after it is engaged
// with, so that a purchase after a click counts; and nothing is said of it before its window ends,
// for what has not happened yet is no negative, and positives that are known early would, without
// their negatives, make every rate too high. Fed in journal order and never stored. One thread.
#pragma once
#include <bitset>
#include <cstdint>
#include <map>
#include <set>
#include <span>
#include <unordered_map>
#include <utility>
#include <vector>

#include "learn/outcome_join.h"

namespace attune {

inline constexpr std::size_t kVerbBytes = 128u << 20;  // of decisions that wait
using VerbSet = std::bitset<kVerbCount>;               // by Verb

struct VerbRow {
  std::vector<Feature> row;
  VerbSet happened;  // inside the window
};

class VerbJoin {
 public:
  // When more waits than max_bytes, only one person in 2, 4, ... is followed from then on, and what
  // waits of the others is dropped: fewer rows, each with its whole window.
  explicit VerbJoin(std::size_t max_bytes) : max_bytes_(max_bytes) {}
  // Positions come in ascending order. A decision whose id waits already is ignored.
  void add(const Waiting& decision, Surrogate identity, Position at);
  // Joined to a decision as OutcomeJoin does it; any number of times, in any order.
  void note(const Deed& deed, std::span<const Surrogate> person);
  // Items that were seen, in windows that ended before `now`, in order of decision.
  std::vector<VerbRow> close(Time now);
  void forget(Surrogate identity);
  std::uint64_t open_items() const;                 // seen, and their window has not ended
  std::uint64_t one_in() const { return one_in_; }  // persons that are followed

 private:
  struct Pending {
    std::uint64_t id = 0;
    Surrogate identity{};
    Time time{}, end{};
    PackedRows rows;
    std::vector<VerbSet> happened;  // by place
  };
  struct Match {
    Position at = 0;  // 0 = none
    std::size_t place = 0;
  };
  bool is_followed(Surrogate identity) const;
  Match in_decision(Position at, const Deed& deed) const;
  Match find(const Deed& deed, std::span<const Surrogate> person) const;
  void erase(Position at);
  void keep_to_limit();

  std::size_t max_bytes_, used_bytes_ = 0;
  std::uint64_t one_in_ = 1;
  std::map<Position, Pending> pending_;
  std::unordered_map<std::uint64_t, Position> by_id_;
  std::unordered_map<Surrogate, std::vector<Position>, IdHash> of_;  // ascending
  std::set<std::pair<Time, Position>> ends_;
};

}  // namespace attune
