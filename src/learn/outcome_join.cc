#include "learn/outcome_join.h"

#include <algorithm>
#include <cmath>

#include "base/bytes.h"

namespace attune {
namespace {
constexpr std::size_t kBlobBytes = 1u << 20;
}  // namespace

bool OutcomeJoin::insert(Position at, Pending pending) {
  if (pending_.contains(at) || !by_id_.emplace(pending.id, at).second) return false;
  ends_.emplace(pending.end, at);
  auto& own = by_identity_[pending.identity];
  own.insert(std::upper_bound(own.begin(), own.end(), at), at);
  pending_.emplace(at, std::move(pending));
  return true;
}

void OutcomeJoin::erase(Position at) {
  const auto found = pending_.find(at);
  if (found == pending_.end()) return;
  const Pending& p = found->second;
  ends_.erase({p.end, at});
  by_id_.erase(p.id);
  const auto own = by_identity_.find(p.identity);
  std::erase(own->second, at);
  if (own->second.empty()) by_identity_.erase(own);
  pending_.erase(found);
}

bool OutcomeJoin::add(const Decision& decision, Surrogate identity, Position at) {
  if (decision.shown.empty()) return false;
  Pending p{hash64(decision.id), identity, decision.time, {}, decision.policy, {}};
  const double window = decision.outcome_window_s;
  p.end = decision.time + seconds(window > 0 ? std::min(window, 1e8) : 0);
  p.shown.reserve(decision.shown.size());
  for (const ShownItem& item : decision.shown) {
    Shown shown{item_key(item.item_id), decision.is_impression_served, false, {}};
    shown.row.reserve(item.parts.size());
    for (const Part& part : item.parts) {
      if (std::abs(part.value) <= kMaxFeatureValue) shown.row.push_back({part.hash, part.value});
    }
    p.shown.push_back(std::move(shown));
  }
  if (!insert(at, std::move(p))) return false;
  while (pending_.size() > max_pending_) {
    erase(pending_.begin()->first);
    ++dropped_;
  }
  return true;
}

OutcomeJoin::Match OutcomeJoin::in_decision(Position at, ItemKey item, Time time, bool is_named) {
  Pending& p = pending_.at(at);
  // A client's clock may run behind ours: a named decision accepts an event from before it.
  if (time > p.end || (time < p.time && !is_named)) return {};
  const auto shown =
      std::find_if(p.shown.begin(), p.shown.end(), [&](const Shown& s) { return s.item == item; });
  if (shown == p.shown.end()) return {};
  return {&p, &*shown};
}

OutcomeJoin::Match OutcomeJoin::find(const Event& event, std::span<const Surrogate> person) {
  if (event.item_id.empty()) return {};
  const ItemKey item = item_key(event.item_id);
  if (!event.decision_id.empty()) {
    const auto named = by_id_.find(hash64(event.decision_id));
    return named == by_id_.end() ? Match{} : in_decision(named->second, item, event.time, true);
  }
  Match best;
  Position best_at = 0;
  for (const Surrogate identity : person) {
    const auto own = by_identity_.find(identity);
    if (own == by_identity_.end()) continue;
    for (auto at = own->second.rbegin(); at != own->second.rend() && *at >= best_at; ++at) {
      const Match match = in_decision(*at, item, event.time, false);
      if (match.shown == nullptr) continue;
      best = match;
      best_at = *at;
      break;
    }
  }
  return best;
}

std::optional<Outcome> OutcomeJoin::engage(const Event& event, std::span<const Surrogate> person) {
  const Match match = find(event, person);
  if (match.shown == nullptr || match.shown->is_learned) return std::nullopt;
  Outcome outcome{match.pending->policy, true, !match.shown->is_seen, std::move(match.shown->row)};
  match.shown->row.clear();
  match.shown->is_seen = match.shown->is_learned = true;
  return outcome;
}

std::optional<Policy> OutcomeJoin::impress(const Event& event, std::span<const Surrogate> person) {
  const Match match = find(event, person);
  if (match.shown == nullptr || match.shown->is_seen) return std::nullopt;
  match.shown->is_seen = true;
  return match.pending->policy;
}

std::vector<Outcome> OutcomeJoin::close(Time now) {
  std::vector<Position> ended;
  for (const auto& [end, at] : ends_) {
    if (end >= now) break;
    ended.push_back(at);
  }
  std::sort(ended.begin(), ended.end());
  std::vector<Outcome> outcomes;
  for (const Position at : ended) {
    Pending& p = pending_.at(at);
    for (Shown& s : p.shown) {
      if (!s.is_seen || s.is_learned) continue;
      outcomes.push_back({p.policy, false, false, std::move(s.row)});
    }
    erase(at);
  }
  return outcomes;
}

void OutcomeJoin::forget(Surrogate identity) {
  const auto own = by_identity_.find(identity);
  if (own == by_identity_.end()) return;
  const std::vector<Position> all = own->second;
  for (const Position at : all) erase(at);
}

void OutcomeJoin::encode_pending(Position at, const Pending& p, std::string& out) {
  Writer w(out);
  w.varint(at);
  w.u64(p.id);
  w.svarint(to_us(p.time));
  w.svarint(to_us(p.end));
  w.u8(static_cast<std::uint8_t>(p.policy));
  w.varint(p.shown.size());
  for (const Shown& s : p.shown) {
    w.u64(raw(s.item));
    w.u8(static_cast<std::uint8_t>((s.is_seen ? 1 : 0) | (s.is_learned ? 2 : 0)));
    w.varint(s.row.size());
    for (const Feature& f : s.row) {
      w.u32(f.hash);
      w.f32(f.value);
    }
  }
}

// False: the bytes make no sense.
bool OutcomeJoin::decode_all(Surrogate identity, std::string_view bytes) {
  Reader r(bytes);
  while (r.left() > 0) {
    const Position at = r.varint();
    Pending p;
    p.identity = identity;
    p.id = r.u64();
    p.time = time_from_us(r.svarint());
    p.end = time_from_us(r.svarint());
    const std::uint8_t policy = r.u8();
    if (policy > 3) return false;
    p.policy = static_cast<Policy>(policy);
    for (std::uint64_t shown = r.varint(); shown > 0 && r.ok(); --shown) {
      Shown s{ItemKey{r.u64()}, false, false, {}};
      const std::uint8_t flags = r.u8();
      s.is_seen = (flags & 1) != 0;
      s.is_learned = (flags & 2) != 0;
      for (std::uint64_t features = r.varint(); features > 0 && r.ok(); --features) {
        const std::uint32_t hash = r.u32();
        s.row.push_back({hash, r.f32()});
      }
      p.shown.push_back(std::move(s));
    }
    if (!r.ok() || !insert(at, std::move(p))) return false;
  }
  return r.ok();
}

// max_pending, dropped, then blobs until the end: the surrogate, and, sealed, what waits of it. One
// identity may have several, so that none is longer than can be sealed.
void OutcomeJoin::encode(std::string& out, const SealRow& seal) const {
  Writer w(out);
  w.varint(max_pending_);
  w.varint(dropped_);
  std::vector<Surrogate> identities;
  for (const auto& [identity, own] : by_identity_) identities.push_back(identity);
  std::sort(identities.begin(), identities.end());
  std::string rows;
  for (const Surrogate identity : identities) {
    const auto flush = [&] {
      const std::string blob = seal ? seal(identity, rows) : rows;
      rows.clear();
      if (blob.empty()) return;  // its key is gone
      w.u64(raw(identity));
      w.str(blob);
    };
    for (const Position at : by_identity_.at(identity)) {
      encode_pending(at, pending_.at(at), rows);
      if (rows.size() > kBlobBytes) flush();
    }
    if (!rows.empty()) flush();
  }
}

Result<OutcomeJoin> OutcomeJoin::decode(std::string_view bytes, const OpenRow& open) {
  const Error corrupt{Code::kCorrupt, "outcome join: the waiting decisions make no sense"};
  Reader r(bytes);
  OutcomeJoin join(r.varint());
  join.dropped_ = r.varint();
  while (r.ok() && r.left() > 0) {
    const Surrogate identity{r.u64()};
    const std::string_view blob = r.str();
    if (!r.ok()) return corrupt;
    const auto rows = open ? open(identity, blob) : std::optional<std::string>(blob);
    if (rows && !join.decode_all(identity, *rows)) return corrupt;
  }
  if (!r.ok()) return corrupt;
  return join;
}

}  // namespace attune
