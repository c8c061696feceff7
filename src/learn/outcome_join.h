// OutcomeJoin: shown items waiting for what came of them. Each has one outcome at most: engaged, at
// once, or not, when its window has ended. A pure fold in journal order; one thread.
#pragma once
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/result.h"
#include "event/decision.h"
#include "event/event.h"
#include "model/ftrl.h"

namespace attune {

struct Outcome {
  Policy policy{};
  bool label = false;
  bool is_new_impression = false;  // an engagement before its impression was known
  std::vector<Feature> row;
};

// What waits of an identity is stored through these; the key it is sealed under may be gone.
using SealRow = std::function<std::string(Surrogate, std::string_view)>;
using OpenRow = std::function<std::optional<std::string>(Surrogate, std::string_view)>;

class OutcomeJoin {
 public:
  explicit OutcomeJoin(std::size_t max_pending) : max_pending_(max_pending) {}
  // False: a decision of this id or position waits already, or nothing was shown.
  bool add(const Decision& decision, Surrogate identity, Position at);
  // An event that names a decision is joined to that one or to none; else to the latest decision to
  // any of `person` that shows the item and whose window holds the event's time.
  std::optional<Outcome> engage(const Event& event, std::span<const Surrogate> person);
  // The policy, when this is the item's first impression.
  std::optional<Policy> impress(const Event& event, std::span<const Surrogate> person);
  // Seen and not engaged in windows that ended before `now`, in order of decision.
  std::vector<Outcome> close(Time now);
  void forget(Surrogate identity);
  std::size_t pending() const { return pending_.size(); }
  std::uint64_t dropped() const { return dropped_; }
  // Canonical when nothing is sealed. Of an identity only its surrogate is outside the seal; what
  // can no longer be opened is left out.
  void encode(std::string& out, const SealRow& seal = nullptr) const;
  static Result<OutcomeJoin> decode(std::string_view bytes, const OpenRow& open = nullptr);

 private:
  struct Shown {
    ItemKey item{};
    bool is_seen = false;
    bool is_learned = false;
    std::vector<Feature> row;
  };
  struct Pending {
    std::uint64_t id = 0;  // hash of the decision's id
    Surrogate identity{};
    Time time{};
    Time end{};
    Policy policy{};
    std::vector<Shown> shown;
  };
  struct Match {
    const Pending* pending = nullptr;
    Shown* shown = nullptr;
  };
  static void encode_pending(Position at, const Pending& pending, std::string& out);
  bool decode_all(Surrogate identity, std::string_view bytes);
  Match find(const Event& event, std::span<const Surrogate> person);
  Match in_decision(Position at, ItemKey item, Time time, bool is_named);
  bool insert(Position at, Pending pending);
  void erase(Position at);

  std::size_t max_pending_;
  std::uint64_t dropped_ = 0;
  std::map<Position, Pending> pending_;
  std::set<std::pair<Time, Position>> ends_;
  std::unordered_map<std::uint64_t, Position> by_id_;
  std::unordered_map<Surrogate, std::vector<Position>, IdHash> by_identity_;  // oldest first
};

}  // namespace attune
