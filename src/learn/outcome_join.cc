#include "learn/outcome_join.h"

#include <algorithm>

#include "base/bytes.h"

namespace attune {
namespace {

constexpr std::size_t kBlobBytes = 1u << 20;
constexpr std::size_t kBesideRows = 256;  // bytes of one that waits, with its places in the tables

std::int64_t second_of(Time time) {
  const std::int64_t us = to_us(time);
  return us >= 0 ? us / 1'000'000 : -((-us + 999'999) / 1'000'000);
}

void write_bits(const std::bitset<kMostShown>& bits, std::size_t size, Writer& w) {
  for (std::size_t i = 0; i < size; i += 8) {
    unsigned byte = 0;
    for (std::size_t k = i; k < std::min(size, i + 8); ++k) byte |= (bits[k] ? 1U : 0U) << (k - i);
    w.u8(static_cast<std::uint8_t>(byte));
  }
}

std::bitset<kMostShown> read_bits(std::size_t size, Reader& r) {
  std::bitset<kMostShown> bits;
  for (std::size_t i = 0; i < size; i += 8) {
    const unsigned byte = r.u8();
    for (std::size_t k = i; k < std::min(size, i + 8); ++k) bits[k] = ((byte >> (k - i)) & 1U) != 0;
  }
  return bits;
}

}  // namespace

bool OutcomeJoin::insert(Position at, Pending pending) {
  const IdHash64 id{pending.id};
  if (pending.identity == Surrogate{} || pending_.contains(at) || id == IdHash64{} ||
      by_id_.contains(id))
    return false;
  by_id_.change(id) = at;
  ends_[second_of(pending.due())].push_back(at);
  Position& newest = newest_.change(pending.identity);
  pending.older = newest;
  if (newest != 0) pending_.change(newest).newer = at;
  newest = at;
  rows_bytes_ += pending.rows.bytes().size() + 64;
  used_bytes_ += pending.rows.bytes().size() + kBesideRows;
  pending_.change(at) = std::move(pending);
  return true;
}

void OutcomeJoin::unlink(const Pending& p) {
  if (p.older != 0) pending_.change(p.older).newer = p.newer;
  if (p.newer != 0) {
    pending_.change(p.newer).older = p.older;
  } else if (p.older != 0) {
    newest_.change(p.identity) = p.older;
  } else {
    newest_.erase(p.identity);
  }
}

// Its place in ends_ is the caller's to take out.
void OutcomeJoin::erase(Position at) {
  const Pending p = *pending_.find(at);
  unlink(p);
  by_id_.erase(IdHash64{p.id});
  rows_bytes_ -= p.rows.bytes().size() + 64;
  used_bytes_ -= p.rows.bytes().size() + kBesideRows;
  pending_.erase(at);
}

Waiting Waiting::of(const Decision& decision, double negative_after_s) {
  const double window = std::clamp(decision.outcome_window_s, 0.0, 1e8);
  const double wait = negative_after_s > 0 ? std::min(negative_after_s, window) : window;
  return {.id = hash64(decision.id),
          .time = decision.time,
          .end = decision.time + seconds(window),
          .negative_at = decision.time + seconds(wait),
          .policy = decision.policy,
          .is_impression_served = decision.is_impression_served,
          .rows = PackedRows::of(decision.shown)};
}

bool OutcomeJoin::add(const Waiting& decision, Surrogate identity, Position at) {
  if (decision.rows.size() == 0) return false;
  Pending p;
  p.id = decision.id;
  p.identity = identity;
  p.time = decision.time;
  p.end = decision.end;
  p.negative_at = decision.negative_at;
  p.policy = decision.policy;
  p.rows = decision.rows;
  if (decision.is_impression_served) p.seen.set();
  return insert(at, std::move(p));
}

bool holds(Time time, Time end, const Deed& deed) {
  return deed.time <= end && (deed.time >= time || deed.decision != 0);
}

OutcomeJoin::Match OutcomeJoin::in_decision(Position at, const Deed& deed) const {
  const Pending& p = *pending_.find(at);
  if (!holds(p.time, p.end, deed)) return {};
  const auto place = p.rows.find(deed.item);
  return place ? Match{at, *place} : Match{};
}

Deed Deed::of(const Event& event) {
  return {.verb = event.verb,
          .item = event.item_id.empty() ? ItemKey{} : item_key(event.item_id),
          .time = event.time,
          .decision = event.decision_id.empty() ? 0 : hash64(event.decision_id)};
}

OutcomeJoin::Match OutcomeJoin::find(const Deed& deed, std::span<const Surrogate> person) const {
  if (deed.item == ItemKey{}) return {};
  if (deed.decision != 0) {
    const Position* const named = by_id_.find(IdHash64{deed.decision});
    return named ? in_decision(*named, deed) : Match{};
  }
  Match best;
  for (const Surrogate identity : person) {
    const Position* const newest = newest_.find(identity);
    for (Position at = newest ? *newest : 0; at > best.at; at = pending_.find(at)->older) {
      const Match match = in_decision(at, deed);
      if (match.at != 0) best = match;
    }
  }
  return best;
}

std::optional<Outcome> OutcomeJoin::engage(const Deed& deed, std::span<const Surrogate> person) {
  const Match match = find(deed, person);
  if (match.at == 0 || pending_.find(match.at)->learned[match.place]) return std::nullopt;
  Pending& p = pending_.change(match.at);
  Outcome outcome{p.policy, true, !p.seen[match.place], p.rows.row(match.place), p.end};
  outcome.may_be_late = p.negative_at < p.end;
  if (p.provisional[match.place]) outcome.before = p.before[match.place];
  p.seen.set(match.place);
  p.learned.set(match.place);
  return outcome;
}

std::optional<Policy> OutcomeJoin::impress(const Deed& deed, std::span<const Surrogate> person) {
  const Match match = find(deed, person);
  if (match.at == 0 || pending_.find(match.at)->seen[match.place]) return std::nullopt;
  Pending& p = pending_.change(match.at);
  p.seen.set(match.place);
  return p.policy;
}

void OutcomeJoin::close_one(Position at, std::vector<Outcome>& outcomes) {
  const Pending& p = *pending_.find(at);
  for (std::size_t i = 0; i < p.rows.size(); ++i) {
    if (!p.seen[i] || p.learned[i]) continue;
    outcomes.push_back({p.policy, false, false, p.rows.row(i), p.end});
    if (p.provisional[i]) outcomes.back().before = p.before[i];
  }
  erase(at);
}

void OutcomeJoin::give_provisional(Position at, std::vector<Outcome>& outcomes) {
  Pending& p = pending_.change(at);
  p.has_provisional = true;
  std::vector<Position>& all = ends_[second_of(p.end)];
  all.insert(std::upper_bound(all.begin(), all.end(), at), at);
  for (std::size_t i = 0; i < p.rows.size(); ++i) {
    if (!p.seen[i] || p.learned[i]) continue;
    Outcome& outcome = outcomes.emplace_back();
    outcome = {p.policy, false, false, p.rows.row(i), p.end};
    outcome.is_provisional = true;
    outcome.at = at;
    outcome.place = i;
  }
}

void OutcomeJoin::keep(const Outcome& provisional, double before) {
  if (pending_.find(provisional.at) == nullptr) return;
  Pending& p = pending_.change(provisional.at);
  p.before.resize(p.rows.size());
  p.before[provisional.place] = static_cast<float>(before);
  p.provisional.set(provisional.place);
}

std::vector<Outcome> OutcomeJoin::close(Time now) {
  std::vector<Position> ended;
  while (!ends_.empty() && ends_.begin()->first <= second_of(now)) {
    std::vector<Position>& all = ends_.begin()->second;
    const auto kept = std::stable_partition(
        all.begin(), all.end(), [&](Position at) { return pending_.find(at)->due() >= now; });
    ended.insert(ended.end(), kept, all.end());
    all.erase(kept, all.end());
    if (!all.empty()) break;  // of this very second
    ends_.erase(ends_.begin());
  }
  std::sort(ended.begin(), ended.end());
  std::vector<Outcome> outcomes;
  for (const Position at : ended) {
    if (pending_.find(at)->end < now) {
      close_one(at, outcomes);
    } else {
      give_provisional(at, outcomes);
    }
  }
  return outcomes;
}

std::vector<Outcome> OutcomeJoin::close_to_limit() {
  std::vector<Outcome> outcomes;
  while (used_bytes_ > max_bytes_ && !ends_.empty()) {
    std::vector<Position>& all = ends_.begin()->second;
    std::size_t closed = 0;
    for (; used_bytes_ > max_bytes_ && closed < all.size(); ++closed) {
      close_one(all[closed], outcomes);
      ++closed_early_;
    }
    all.erase(all.begin(), all.begin() + static_cast<std::ptrdiff_t>(closed));
    if (all.empty()) ends_.erase(ends_.begin());
  }
  return outcomes;
}

void OutcomeJoin::forget(Surrogate identity) {
  for (const Position* at = newest_.find(identity); at != nullptr; at = newest_.find(identity)) {
    const auto bucket = ends_.find(second_of(pending_.find(*at)->due()));
    std::erase(bucket->second, *at);
    if (bucket->second.empty()) ends_.erase(bucket);
    erase(Position{*at});
  }
}

void OutcomeJoin::encode_pending(Position at, const Pending& p, std::string& out) {
  Writer w(out);
  w.varint(at);
  w.u64(p.id);
  w.svarint(to_us(p.time));
  w.svarint(to_us(p.end));
  w.u8(static_cast<std::uint8_t>(p.policy));
  w.str(p.rows.bytes());
  write_bits(p.seen, p.rows.size(), w);
  write_bits(p.learned, p.rows.size(), w);
  w.svarint((p.end - p.negative_at).count());
  if (p.negative_at >= p.end) return;
  w.u8(p.has_provisional ? 1 : 0);
  write_bits(p.provisional, p.rows.size(), w);
  for (std::size_t i = 0; i < p.rows.size(); ++i) {
    if (p.provisional[i]) w.f32(p.before[i]);
  }
}

// False: the bytes make no sense.
bool OutcomeJoin::decode_provisional(Pending& p, Reader& r) {
  p.negative_at = p.end - Duration(r.svarint());
  if (p.negative_at >= p.end) return true;
  p.has_provisional = r.u8() == 1;
  p.provisional = read_bits(p.rows.size(), r);
  if (p.provisional.none()) return true;
  p.before.resize(p.rows.size());
  for (std::size_t i = 0; i < p.rows.size(); ++i) {
    if (p.provisional[i]) p.before[i] = r.f32();
    if (!(p.before[i] >= 0 && p.before[i] <= 1)) return false;
  }
  return true;
}

// False: the bytes make no sense.
bool OutcomeJoin::decode_all(Surrogate identity, std::string_view bytes, bool has_provisional,
                             Numbered& out) {
  Reader r(bytes);
  while (r.left() > 0) {
    const Position at = r.varint();
    Pending p;
    p.identity = identity;
    p.id = r.u64();
    p.time = time_from_us(r.svarint());
    p.end = time_from_us(r.svarint());
    const std::uint8_t policy = r.u8();
    auto rows = PackedRows::from(r.str());
    if (!r.ok() || at == 0 || policy > 3 || !rows) return false;
    p.policy = static_cast<Policy>(policy);
    p.rows = std::move(*rows);
    p.seen = read_bits(p.rows.size(), r);
    p.learned = read_bits(p.rows.size(), r);
    p.negative_at = p.end;
    if (has_provisional && !decode_provisional(p, r)) return false;
    out.emplace_back(at, std::move(p));
  }
  return r.ok();
}

std::vector<Position> OutcomeJoin::positions_of(Position newest) const {
  std::vector<Position> all;
  for (Position at = newest; at != 0; at = pending_.find(at)->older) all.push_back(at);
  std::reverse(all.begin(), all.end());
  return all;
}

// max_bytes, closed_early, then blobs until the end: the surrogate, and, sealed, what waits of it.
// One identity may have several, so that none is longer than can be sealed.
void OutcomeJoin::encode(std::string& out, const SealRow& seal) const {
  std::vector<std::pair<Surrogate, Position>> identities;
  newest_.each([&](Surrogate who, Position newest) { identities.emplace_back(who, newest); });
  std::sort(identities.begin(), identities.end());
  Writer w(out);
  w.varint(max_bytes_);
  w.varint(closed_early_);
  std::string rows;
  for (const auto& [identity, newest] : identities) {
    const auto flush = [&, who = identity] {
      const std::string blob = seal ? seal(who, rows) : rows;
      rows.clear();
      if (blob.empty()) return;  // its key is gone
      w.u64(raw(who));
      w.str(blob);
    };
    for (const Position at : positions_of(newest)) {
      encode_pending(at, *pending_.find(at), rows);
      if (rows.size() > kBlobBytes) flush();
    }
    if (!rows.empty()) flush();
  }
}

Result<OutcomeJoin> OutcomeJoin::decode(std::string_view bytes, const OpenRow& open,
                                        bool has_provisional) {
  const Error corrupt{Code::kCorrupt, "outcome join: the waiting decisions make no sense"};
  Reader r(bytes);
  OutcomeJoin join(r.varint());
  join.closed_early_ = r.varint();
  Numbered all;
  while (r.ok() && r.left() > 0) {
    const Surrogate identity{r.u64()};
    const std::string_view blob = r.str();
    if (!r.ok() || identity == Surrogate{}) return corrupt;
    const auto rows = open ? open(identity, blob) : std::optional<std::string>(blob);
    if (rows && !decode_all(identity, *rows, has_provisional, all)) return corrupt;
  }
  if (!r.ok()) return corrupt;
  std::sort(all.begin(), all.end(), [](auto& a, auto& b) { return a.first < b.first; });
  for (auto& [at, p] : all) {
    if (!join.insert(at, std::move(p))) return corrupt;
  }
  return join;
}

}  // namespace attune
