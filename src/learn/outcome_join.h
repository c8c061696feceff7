// OutcomeJoin: shown items waiting for what came of them. Each has one outcome at most: engaged, at
// once, or not, when its window has ended, or sooner when more waits than the limit allows
// (docs/decisions/0004). A pure fold in journal order; one writer; copies share what has not
// changed.
#pragma once
#include <algorithm>
#include <bitset>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/cow_map.h"
#include "base/result.h"
#include "event/decision.h"
#include "event/event.h"
#include "learn/packed_rows.h"
#include "model/sealed.h"

namespace attune {

// What is kept of a decision until its outcomes are known.
struct Waiting {
  std::uint64_t id = 0;  // hash of the decision's id
  Time time{};
  Time end{};  // of its window
  // What is seen and not engaged with by then is a provisional negative; end, or later: there are
  // none.
  Time negative_at{};
  Policy policy{};
  bool is_impression_served = false;
  PackedRows rows;
  // negative_after_s: 0 = no provisional negatives.
  static Waiting of(const Decision& decision, double negative_after_s = 0);
};

// What the folds across people need of an event about an item.
struct Deed {
  Verb verb{};
  ItemKey item{};
  Time time{};
  std::uint64_t decision = 0;  // hash of the id of the decision it names; 0 = none
  static Deed of(const Event& event);
};

// Whether it may belong to a decision of `time` whose window ends at `end`. A client's clock may
// run behind ours: a named decision accepts an event from before it.
bool holds(Time time, Time end, const Deed& deed);

struct Outcome {
  Policy policy{};
  bool label = false;
  bool is_new_impression = false;  // an engagement before its impression was known
  std::vector<Feature> row;
  Time end{};  // of the window
  // Of decisions with provisional negatives, where the row is a negative first and engaged with
  // later, or not:
  bool is_provisional = false;    // not engaged with yet, though it may be
  bool may_be_late = false;       // engaged with, in time or after its provisional negative
  std::optional<float> before{};  // P(engaged) before its provisional negative was learned from
  Position at = 0;                // of the decision; of a provisional negative
  std::size_t place = 0;
};

class OutcomeJoin {
 public:
  explicit OutcomeJoin(std::size_t max_bytes) : max_bytes_(max_bytes) {}
  // Positions come in ascending order. False: a decision of this id or position waits already, or
  // nothing was shown.
  bool add(const Waiting& decision, Surrogate identity, Position at);
  // An event that names a decision is joined to that one or to none; else to the latest decision to
  // any of `person` that shows the item and whose window holds the event's time.
  std::optional<Outcome> engage(const Deed& deed, std::span<const Surrogate> person);
  // The policy, when this is the item's first impression.
  std::optional<Policy> impress(const Deed& deed, std::span<const Surrogate> person);
  // Seen and not engaged in windows that ended before `now`, and what is provisionally so, in order
  // of decision.
  std::vector<Outcome> close(Time now);
  // The same of the windows that would end first, until what waits keeps the limit.
  std::vector<Outcome> close_to_limit();
  // What was predicted of a provisional negative before it was learned from.
  void keep(const Outcome& provisional, double before);
  void forget(Surrogate identity);
  std::size_t pending() const { return pending_.size(); }
  std::uint64_t closed_early() const { return closed_early_; }
  std::size_t memory_bytes() const { return pending_.memory_bytes() + index_bytes() + rows_bytes_; }
  // Canonical when nothing is sealed. Of an identity only its surrogate is outside the seal; what
  // can no longer be opened is left out.
  void encode(std::string& out, const SealRow& seal = nullptr) const;
  // has_provisional: false = as learners before version 4 wrote it.
  static Result<OutcomeJoin> decode(std::string_view bytes, const OpenRow& open = nullptr,
                                    bool has_provisional = true);

 private:
  struct Pending {
    std::uint64_t id = 0;  // hash of the decision's id
    Surrogate identity{};
    Time time{};
    Time end{};
    Time negative_at{};
    Position older = 0, newer = 0;  // decisions of the same identity, 0 = none
    std::bitset<kMostShown> seen, learned;
    bool has_provisional = false;         // they were given
    std::bitset<kMostShown> provisional;  // of these
    std::vector<float> before;            // by place; empty, or as long as rows
    PackedRows rows;
    Policy policy{};

    Time due() const { return has_provisional ? end : std::min(negative_at, end); }
  };
  struct Match {
    Position at = 0;  // 0 = none
    std::size_t place = 0;
  };
  enum class IdHash64 : std::uint64_t {};

  using Numbered = std::vector<std::pair<Position, Pending>>;
  static void encode_pending(Position at, const Pending& p, std::string& out);
  static bool decode_provisional(Pending& p, Reader& r);
  static bool decode_all(Surrogate identity, std::string_view bytes, bool has_provisional,
                         Numbered& out);
  std::vector<Position> positions_of(Position newest) const;  // ascending
  Match find(const Deed& deed, std::span<const Surrogate> person) const;
  Match in_decision(Position at, const Deed& deed) const;
  bool insert(Position at, Pending pending);
  void erase(Position at);
  void unlink(const Pending& p);
  void close_one(Position at, std::vector<Outcome>& outcomes);
  void give_provisional(Position at, std::vector<Outcome>& outcomes);
  std::size_t index_bytes() const { return by_id_.memory_bytes() + newest_.memory_bytes(); }

  std::size_t max_bytes_;
  std::size_t used_bytes_ = 0;  // counts against max_bytes_: the same in every process
  std::size_t rows_bytes_ = 0;
  std::uint64_t closed_early_ = 0;
  CowMap<Position, Pending> pending_;
  CowMap<IdHash64, Position> by_id_;
  CowMap<Surrogate, Position> newest_;                  // of each identity
  std::map<std::int64_t, std::vector<Position>> ends_;  // by second of due()
};

}  // namespace attune
