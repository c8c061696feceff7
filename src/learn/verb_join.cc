#include "learn/verb_join.h"

#include <algorithm>

#include "base/hash.h"
#include "profile/profile.h"

namespace attune {
namespace {

constexpr std::size_t kBesideRows = 512;  // bytes of one that waits, with its places in the tables
constexpr std::uint64_t kFewest = std::uint64_t{1} << 40;  // one person in so many
constexpr std::uint64_t kSalt = 0x7e5b;

std::size_t bytes_of(const PackedRows& rows) { return rows.bytes().size() + kBesideRows; }

VerbSet of_verb(Verb verb) { return VerbSet().set(static_cast<std::size_t>(verb)); }

// Nobody takes or hides what was not seen; a view may come of elsewhere.
bool shows(Verb verb) {
  return verb == Verb::kImpression || verb == Verb::kHide || verb == Verb::kReport ||
         is_engagement(verb);
}

bool is_seen(const VerbSet& happened) { return happened.any() && happened != of_verb(Verb::kView); }

}  // namespace

bool VerbJoin::is_followed(Surrogate identity) const {
  return mix64(kSalt, raw(identity)) % one_in_ == 0;
}

void VerbJoin::add(const Waiting& decision, Surrogate identity, Position at) {
  if (decision.rows.size() == 0 || decision.id == 0 || identity == Surrogate{} ||
      !is_followed(identity) || by_id_.contains(decision.id)) {
    return;
  }
  const VerbSet at_first = decision.is_impression_served ? of_verb(Verb::kImpression) : VerbSet();
  by_id_[decision.id] = at;
  of_[identity].push_back(at);
  ends_.emplace(decision.end, at);
  used_bytes_ += bytes_of(decision.rows);
  pending_[at] = {decision.id,   identity,
                  decision.time, decision.end,
                  decision.rows, std::vector<VerbSet>(decision.rows.size(), at_first)};
  keep_to_limit();
}

void VerbJoin::keep_to_limit() {
  while (used_bytes_ > max_bytes_ && one_in_ < kFewest) {
    one_in_ *= 2;
    std::vector<Surrogate> dropped;
    for (const auto& [identity, positions] : of_) {
      if (!is_followed(identity)) dropped.push_back(identity);
    }
    for (const Surrogate identity : dropped) forget(identity);
  }
}

VerbJoin::Match VerbJoin::in_decision(Position at, const Deed& deed) const {
  const Pending& p = pending_.at(at);
  if (!holds(p.time, p.end, deed)) return {};
  const auto place = p.rows.find(deed.item);
  return place ? Match{at, *place} : Match{};
}

VerbJoin::Match VerbJoin::find(const Deed& deed, std::span<const Surrogate> person) const {
  if (deed.item == ItemKey{}) return {};
  if (deed.decision != 0) {
    const auto named = by_id_.find(deed.decision);
    return named == by_id_.end() ? Match{} : in_decision(named->second, deed);
  }
  Match best;
  for (const Surrogate identity : person) {
    const auto all = of_.find(identity);
    if (all == of_.end()) continue;
    for (auto at = all->second.rbegin(); at != all->second.rend() && *at > best.at; ++at) {
      const Match match = in_decision(*at, deed);
      if (match.at != 0) best = match;
    }
  }
  return best;
}

void VerbJoin::note(const Deed& deed, std::span<const Surrogate> person) {
  if (!shows(deed.verb) && deed.verb != Verb::kView) return;
  const Match match = find(deed, person);
  if (match.at != 0) pending_.at(match.at).happened[match.place] |= of_verb(deed.verb);
}

void VerbJoin::erase(Position at) {
  const auto found = pending_.find(at);
  const Pending& p = found->second;
  by_id_.erase(p.id);
  ends_.erase({p.end, at});
  const auto all = of_.find(p.identity);
  std::erase(all->second, at);
  if (all->second.empty()) of_.erase(all);
  used_bytes_ -= bytes_of(p.rows);
  pending_.erase(found);
}

std::vector<VerbRow> VerbJoin::close(Time now) {
  std::vector<Position> ended;
  for (auto at = ends_.begin(); at != ends_.end() && at->first < now; ++at) {
    ended.push_back(at->second);
  }
  std::sort(ended.begin(), ended.end());
  std::vector<VerbRow> rows;
  for (const Position at : ended) {
    const Pending& p = pending_.at(at);
    for (std::size_t i = 0; i < p.happened.size(); ++i) {
      if (is_seen(p.happened[i])) rows.push_back({p.rows.row(i), p.happened[i]});
    }
    erase(at);
  }
  return rows;
}

void VerbJoin::forget(Surrogate identity) {
  const auto all = of_.find(identity);
  if (all == of_.end()) return;
  const std::vector<Position> positions = all->second;
  for (const Position at : positions) erase(at);
}

std::uint64_t VerbJoin::open_items() const {
  std::uint64_t items = 0;
  for (const auto& [at, p] : pending_) {
    items +=
        static_cast<std::uint64_t>(std::count_if(p.happened.begin(), p.happened.end(), is_seen));
  }
  return items;
}

}  // namespace attune
