#include "engine/state.h"

#include <algorithm>

#include "base/bytes.h"
#include "collect/segment.h"
#include "feature/item_view.h"

namespace attune {
namespace {

constexpr std::uint64_t kBaseMagic = 0x3145534142545441;  // "ATTBASE1"
constexpr std::size_t kRecentItems = 30;
constexpr std::uint32_t kBaseSeconds = 0xffffffff;
constexpr std::uint64_t kItemItemTicks = 10;  // its copy is the dearest part of a publication

std::uint64_t hash_of(const auto& fold) {
  std::string bytes;
  fold.encode(bytes);
  return hash64(bytes);
}

std::vector<ItemKey> items_of(const Profile& profile) {
  std::vector<ItemKey> items;
  recent_items(profile, kRecentItems, items);
  return items;
}

}  // namespace

State::State(int shards)
    : shards_(static_cast<std::size_t>(std::max(1, shards))),
      catalog_(std::make_shared<Catalog>()),
      learner_(FtrlOptions{}) {
  publish();
}

ItemView State::view_of(ItemKey item) const {
  const Item* found = catalog_->find(item);
  return found ? item_view(*found) : ItemView{.key = item};
}

void State::event(Position at, Surrogate identity, const Event& event) {
  Profile& profile = shard(identity)[identity];
  bool has_consent = false;
  const std::uint8_t denied = denied_purposes_of(event.context, has_consent);
  if (has_consent) profile.denied_purposes = denied;
  Entry entry;
  entry.at = at;
  entry.identity = identity;
  entry.person = graph_.members(identity);
  const bool is_about_item = !event.item_id.empty();
  if (is_about_item) entry.recent = items_of(person(identity));
  const ItemKey item = is_about_item ? item_key(event.item_id) : ItemKey{};
  profile.apply(event, view_of(item), at);
  if (!profile.denies(Purpose::kPersonalization)) {
    entry.event = std::make_shared<Event>(event);
    pending_.push_back(std::move(entry));
  }
}

void State::decision(Position at, Surrogate identity, const Decision& decision) {
  Profile& profile = shard(identity)[identity];
  for (const ShownItem& shown : decision.shown) {
    profile.mark_shown(view_of(item_key(shown.item_id)), shown.p_click,
                       decision.is_impression_served, decision.time, at);
  }
  pending_.push_back({.at = at,
                      .identity = identity,
                      .person = graph_.members(identity),
                      .recent = {},
                      .event = nullptr,
                      .decision = std::make_shared<Decision>(decision)});
}

void State::link(Position at, Surrogate a, Surrogate b) { graph_.link(a, b, at); }
void State::unlink(Surrogate a, Surrogate b) { graph_.unlink(a, b); }

Status State::control(Position, std::string_view change, Time received) {
  auto next = std::make_shared<Catalog>(*catalog_);
  TRY_OK(next->apply(change, received));
  catalog_ = std::move(next);
  is_catalog_dirty_ = true;
  return ok_status();
}

void State::erase(std::span<const Surrogate> identities) {
  for (const Surrogate identity : identities) {
    std::erase_if(pending_, [&](const Entry& e) { return e.identity == identity; });
    shard(identity).erase(identity);
    graph_.drop(identity);
    learner_.forget(identity);
  }
}

void State::count_shown(ItemKey item, Time when) {
  counters_.items[item].shown.add(when);
  counters_.all.shown.add(when);
}

void State::fold(const Entry& entry) {
  if (entry.decision) {
    if (entry.decision->is_impression_served) {
      for (const ShownItem& shown : entry.decision->shown) {
        count_shown(item_key(shown.item_id), entry.decision->time);
      }
    }
    learner_.on_decision(*entry.decision, entry.identity, entry.at);
    return;
  }
  const Event& event = *entry.event;
  if (event.item_id.empty()) return;
  const ItemKey item = item_key(event.item_id);
  if (event.verb == Verb::kImpression) count_shown(item, event.time);
  if (is_engagement(event.verb)) {
    counters_.items[item].engaged.add(event.time);
    counters_.all.engaged.add(event.time);
    item_item_.learn(entry.recent, item);
    is_item_item_dirty_ = true;
  }
  learner_.on_event(event, entry.person);
}

void State::tick(std::uint64_t number, Time clock) {
  tick_ = number;
  clock_ = std::max(clock_, clock);
  bool is_new = false;
  for (const Entry& entry : pending_) {
    if (entry.at <= base_) continue;  // the base holds it already
    fold(entry);
    is_new = true;
  }
  if (is_new) is_counters_dirty_ = true;
  pending_.clear();
  learner_.on_tick(clock_);
  publish();
}

void State::publish() {
  const bool is_model_new = learner_.updates() != published_updates_ || !published_;
  const bool is_item_item_due = is_item_item_dirty_ && (tick_ % kItemItemTicks == 0 || !published_);
  if (!is_model_new && !is_counters_dirty_ && !is_catalog_dirty_ && !is_item_item_due) return;
  auto next = published_ ? std::make_shared<Published>(*published_) : std::make_shared<Published>();
  next->version = tick_;
  next->time = clock_;
  next->catalog = catalog_;
  if (is_counters_dirty_) next->counters = std::make_shared<Counters>(counters_);
  if (is_item_item_due) next->item_item = std::make_shared<ItemItem>(item_item_);
  if (is_model_new) {
    next->weights = std::make_shared<std::vector<float>>(learner_.model().weights());
  }
  if (is_counters_dirty_ || is_catalog_dirty_) rank_lists(*next);
  published_updates_ = learner_.updates();
  is_counters_dirty_ = is_catalog_dirty_ = false;
  if (is_item_item_due) is_item_item_dirty_ = false;
  published_ = std::move(next);
}

Profile State::person(Surrogate any) const {
  std::vector<const Profile*> parts;
  for (const Surrogate member : graph_.members(any)) {
    if (const Profile* found = profile(member)) parts.push_back(found);
  }
  if (parts.size() == 1) return *parts[0];
  return merge(parts);
}

const Profile* State::profile(Surrogate identity) const {
  const auto& identities = shard(identity);
  const auto found = identities.find(identity);
  return found == identities.end() ? nullptr : &found->second;
}

std::size_t State::profile_count() const {
  std::size_t count = 0;
  for (const Shard& identities : shards_) count += identities.size();
  return count;
}

void State::encode_counters(std::string& out) const {
  std::vector<ItemKey> keys;
  for (const auto& [key, affinity] : counters_.items) keys.push_back(key);
  std::sort(keys.begin(), keys.end());
  Writer writer(out);
  counters_.all.shown.encode(out, kBaseSeconds);
  counters_.all.engaged.encode(out, kBaseSeconds);
  writer.varint(keys.size());
  for (const ItemKey key : keys) {
    writer.u64(raw(key));
    counters_.items.at(key).shown.encode(out, kBaseSeconds);
    counters_.items.at(key).engaged.encode(out, kBaseSeconds);
  }
}

std::string State::encode_base(Position at) const {
  std::string counters, items, learner, out;
  encode_counters(counters);
  item_item_.encode(items);
  learner_.encode(learner);
  Writer writer(out);
  writer.u64(kBaseMagic);
  writer.u64(at);
  writer.u64(tick_);
  writer.u64(static_cast<std::uint64_t>(to_us(clock_)));
  writer.str(counters);
  writer.str(items);
  writer.str(learner);
  writer.u64(hash64(out));
  return out;
}

Status State::load_base(std::string_view bytes) {
  const Error corrupt{Code::kCorrupt, "base: checksum does not match", "",
                      "restore the workspace from a backup"};
  if (bytes.size() < 8) return corrupt;
  Reader tail(bytes.substr(bytes.size() - 8));
  if (tail.u64() != hash64(bytes.substr(0, bytes.size() - 8))) return corrupt;
  Reader in(bytes);
  if (in.u64() != kBaseMagic) return corrupt;
  base_ = in.u64();
  tick_ = in.u64();
  clock_ = time_from_us(static_cast<std::int64_t>(in.u64()));
  Reader counters(in.str());
  const std::string_view items = in.str();
  const std::string_view learner = in.str();
  bool is_good = DecayedCount::decode(counters, kBaseSeconds, counters_.all.shown) &&
                 DecayedCount::decode(counters, kBaseSeconds, counters_.all.engaged);
  for (std::uint64_t left = counters.varint(); left > 0 && counters.ok(); --left) {
    Affinity& affinity = counters_.items[ItemKey{counters.u64()}];
    is_good = is_good && DecayedCount::decode(counters, kBaseSeconds, affinity.shown) &&
              DecayedCount::decode(counters, kBaseSeconds, affinity.engaged);
  }
  TRY(item_item_, ItemItem::decode(items));
  TRY(learner_, Learner::decode(learner));
  return is_good && in.ok() && counters.ok() ? ok_status() : Status(corrupt);
}

std::vector<FoldHash> State::hashes() const {
  std::uint64_t profiles = 0;  // a sum, so that the order of identities does not matter
  for (const Shard& identities : shards_) {
    for (const auto& [identity, profile] : identities) {
      profiles += mix64(raw(identity), hash_of(profile));
    }
  }
  std::string counters;
  encode_counters(counters);
  return {{"profiles", profiles},
          {"identity_graph", hash_of(graph_)},
          {"catalog", hash_of(*catalog_)},
          {"item_counters", hash64(counters)},
          {"item_item", hash_of(item_item_)},
          {"learner", hash_of(learner_)}};
}

}  // namespace attune
