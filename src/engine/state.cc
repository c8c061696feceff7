#include "engine/state.h"

#include <algorithm>

#include "base/bytes.h"
#include "collect/segment.h"
#include "decide/rank_lists.h"
#include "engine/stream_models.h"

namespace attune {
namespace {

constexpr std::size_t kRecentItems = 30;
constexpr std::uint64_t kTasteTicks = 10;  // a line changed after a publication is copied

constexpr std::uint8_t bit(Purpose purpose) { return static_cast<std::uint8_t>(purpose); }

std::uint64_t hash_of(const auto& fold) {
  std::string bytes;
  fold.encode(bytes);
  return hash64(bytes);
}

}  // namespace

Result<Plan> plan_of(const Catalog& catalog) {
  return catalog.plan().empty() ? default_plan() : Plan::parse(catalog.plan(), "plan");
}

State::State(const StateOptions& options, const ProfileCache::Load& load)
    : load_model_(options.load_model),
      load_factors_(options.load_factors),
      stream_(options.stream) {
  for (int i = 0; i < std::max(1, options.shards); ++i) shards_.emplace_back(load);
  publish(true);
}

Status State::load(Surrogate identity) {
  TRY_OK(shard(identity).load(identity));
  for (const Surrogate member : folds_.graph.members(identity)) {
    TRY_OK(shard(member).load(member));
  }
  return ok_status();
}

const Profile& State::decoded(Surrogate identity) {
  const std::string_view bytes = shard(identity).find(identity);
  if (bytes.empty()) {
    scratch_.clear();
  } else {  // encoded here, and what comes from disk is checked by its seal
    CHECK(Profile::decode(bytes, scratch_).ok());
  }
  return scratch_;
}

void State::store(Surrogate identity, const Profile& profile) {
  encoded_.clear();
  profile.encode(encoded_);
  shard(identity).put(identity, encoded_);
}

ItemView State::view_of(ItemKey item) const {
  const Item* found = folds_.catalog->find(item);
  return {.key = item,
          .topics = found ? std::span<const Topic>(found->topics) : std::span<const Topic>()};
}

State::Entry& State::note(Position at, Surrogate identity) {
  Entry& entry = pending_.emplace_back();
  entry.at = at;
  entry.identity = identity;
  const auto members = folds_.graph.members(identity);
  if (members.size() > 1) {
    others_.insert(others_.end(), members.begin(), members.end());
    entry.others = static_cast<std::uint32_t>(members.size());
  }
  return entry;
}

// The person's last items before this event; those of a single identity are in scratch_.
void State::note_touched(Entry& entry) {
  recent_.clear();
  if (entry.others == 0) {
    recent_items(scratch_, kRecentItems, recent_);
  } else {
    const Profile merged = person(entry.identity);
    entry.denied_by_other = merged.denied_purposes;
    recent_items(merged, kRecentItems, recent_);
  }
  touched_.insert(touched_.end(), recent_.begin(), recent_.end());
  entry.touched = static_cast<std::uint32_t>(recent_.size());
}

// The profile is in scratch_. is_more: of a record that it holds the first event of.
void State::fold_profile(Position at, Surrogate identity, const Event& event, bool is_more) {
  const Deed deed = Deed::of(event);
  bool has_consent = false;
  const std::uint8_t said = denied_purposes_of(event.context, has_consent);
  const bool is_refusal = has_consent && (said & bit(Purpose::kPersonalization)) != 0;
  const bool is_noted = is_refusal || !event.item_id.empty();
  Entry* const entry = is_noted ? &note(at, identity) : nullptr;
  if (!event.item_id.empty() && is_engagement(event.verb)) note_touched(*entry);
  if (scratch_.position == 0) scratch_.denied_purposes = folds_.setup.denied_by_default;
  if (has_consent) scratch_.denied_purposes = said;
  if (scratch_.denies(Purpose::kStorage)) folds_.has_storage_denials = true;
  if (is_more) {
    scratch_.apply_more(event, view_of(deed.item));
  } else {
    scratch_.apply(event, view_of(deed.item), at);
  }
  if (!entry) return;
  entry->denied = scratch_.denied_purposes;
  entry->deed = deed;
}

void State::event(Position at, Surrogate identity, const Event& event) {
  (void)decoded(identity);
  fold_profile(at, identity, event, false);
  store(identity, scratch_);
}

Status State::events(Position at, Surrogate identity, std::string_view list, Time received) {
  EventListReader reader(list, received);
  (void)decoded(identity);
  const bool is_new = at > scratch_.position;
  const bool is_alone = folds_.graph.is_alone(identity);
  for (bool is_more = false;; is_more = is_new) {
    TRY(const bool is_there, reader.next(stored_));
    if (!is_there) break;
    fold_profile(at, identity, stored_.event, is_more);
    if (!is_alone) store(identity, scratch_);  // the merge of the person's identities reads it
  }
  store(identity, scratch_);
  return ok_status();
}

void State::decision(Position at, Surrogate identity, const Decision& decision) {
  (void)decoded(identity);
  if (scratch_.position == 0) scratch_.denied_purposes = folds_.setup.denied_by_default;
  for (const ShownItem& shown : decision.shown) {
    scratch_.mark_shown(view_of(item_key(shown.item_id)), shown.p_click,
                        decision.is_impression_served, decision.time, at);
  }
  store(identity, scratch_);
  const double negative_after_s = folds_.catalog->placement(decision.placement).negative_after_s;
  Entry& entry = note(at, identity);
  entry.denied = entry.others == 0 ? scratch_.denied_purposes : person(identity).denied_purposes;
  entry.decision = std::make_unique<const Waiting>(Waiting::of(decision, negative_after_s));
}

void State::link(Position at, Surrogate a, Surrogate b) { folds_.graph.link(a, b, at); }

Status State::control(std::span<const std::string> changes, Time received) {
  // In a replay one change comes after another: a copy each would take time by items squared.
  if (changes.size() == 1 && draft_ == folds_.catalog && draft_.use_count() == 2) {
    const std::string plan = draft_->plan();
    TRY_OK(draft_->apply(changes[0], received));
    if (draft_->plan() != plan) TRY_OK(plan_of(*draft_));
    return ok_status();
  }
  auto next = std::make_shared<Catalog>(*folds_.catalog);
  for (const std::string& change : changes) TRY_OK(next->apply(change, received));
  TRY_OK(plan_of(*next));
  set_catalog(next);
  draft_ = std::move(next);
  return ok_status();
}

void State::set_catalog(std::shared_ptr<const Catalog> catalog) {
  draft_ = nullptr;
  folds_.catalog = std::move(catalog);
}

void State::erase(std::span<const Surrogate> identities) {
  for (const Surrogate identity : identities) {
    for (Entry& entry : pending_) {
      if (entry.identity == identity) entry.at = 0;  // left out at the tick
    }
    shard(identity).put(identity, {});
    folds_.graph.drop(identity);
    folds_.learner.forget(identity);
    (void)folds_.persons_alike.forget(identity);
  }
}

void State::count(ItemKey item, Time when, DecayedCount Affinity::*what) {
  (folds_.counters.items.change(item).*what).add(when);
  (folds_.counters.all.*what).add(when);
  counted_.push_back(item);
}

void State::fold_taken(const Entry& entry, std::span<const ItemKey> touched) {
  folds_.item_item.learn(touched, entry.deed.item);
  is_taste_dirty_ = true;
  if ((entry.denied_by_other & bit(Purpose::kPersonalization)) != 0) return;
  folds_.persons_alike.learn(entry.identity, entry.deed.item);
}

void State::fold_event(const Entry& entry, std::span<const Surrogate> person,
                       std::span<const ItemKey> touched) {
  const Deed& deed = entry.deed;
  const ItemKey item = deed.item;
  const bool is_denied = (entry.denied & bit(Purpose::kPersonalization)) != 0;
  for (std::size_t i = 0; is_denied && i < person.size(); ++i) {
    is_taste_dirty_ |= folds_.persons_alike.forget(person[i]);
    folds_.learner.forget(person[i]);  // what comes of it will not be joined
  }
  if (item == ItemKey{}) return;  // it told of a refusal
  if ((entry.denied & bit(Purpose::kAnalytics)) == 0) {
    if (deed.verb == Verb::kImpression) count(item, deed.time, &Affinity::shown);
    if (is_engagement(deed.verb)) count(item, deed.time, &Affinity::engaged);
  }
  if (is_denied) return;
  if (is_engagement(deed.verb)) fold_taken(entry, touched);
  folds_.learner.on_event(deed, person);
}

void State::tick(std::uint64_t number, Time clock) {
  folds_.tick = std::max(folds_.tick, number);  // a base may be ahead of the records
  folds_.clock = std::max(folds_.clock, clock);
  folds_.learner.tell(stream_);
  std::size_t other = 0, touched = 0;
  for (const Entry& entry : pending_) {
    const std::span<const Surrogate> alone(&entry.identity, 1);
    const auto person = entry.others == 0
                            ? alone
                            : std::span<const Surrogate>(others_).subspan(other, entry.others);
    const auto items = std::span<const ItemKey>(touched_).subspan(touched, entry.touched);
    other += entry.others;
    touched += entry.touched;
    if (entry.at <= across_from_) continue;  // erased, or in the base already
    if (!entry.decision) {
      fold_event(entry, person, items);
      continue;
    }
    if (entry.decision->is_impression_served) {
      for (std::size_t i = 0; i < entry.decision->rows.size(); ++i) {
        count(entry.decision->rows.item(i), entry.decision->time, &Affinity::shown);
      }
    }
    if ((entry.denied & bit(Purpose::kPersonalization)) != 0) continue;
    folds_.learner.on_decision(*entry.decision, entry.identity, entry.at);
  }
  pending_.clear();
  others_.clear();
  touched_.clear();
  folds_.learner.on_tick(folds_.clock);
  if (stream_ != nullptr) stream_->end_tick(folds_.tick, folds_.catalog);
  publish(false);
}

void State::open(const Setup& setup) {
  folds_.setup = setup;
  folds_.learner.watch_drift(setup.is_drift_watched);
  if (stream_ != nullptr) stream_->end_tick(folds_.tick, folds_.catalog);
  publish(true);
}

// What is promoted and what is tried on some, where it can rank.
std::map<std::string, RankModels, std::less<>> State::rank_models(const Plan& plan) const {
  std::map<std::string, RankModels, std::less<>> out;
  if (!load_model_) return out;
  for (const auto& [name, registered] : folds_.catalog->models().models()) {
    RankModels models;
    if (const ModelVersion* const version = registered.promoted()) {
      models.promoted = load_model_(registered, *version, plan);
    }
    if (registered.challenger && registered.challenger->share > 0) {
      models.canary =
          load_model_(registered, *registered.version(registered.challenger->version), plan);
      models.share = registered.challenger->share;
    }
    if (models.promoted.model || models.canary.model) out.emplace(name, std::move(models));
  }
  return out;
}

// Those that are promoted and draw candidates.
std::map<std::string, std::shared_ptr<const ItemFactors>, std::less<>> State::retrievers() const {
  std::map<std::string, std::shared_ptr<const ItemFactors>, std::less<>> out;
  if (!load_factors_) return out;
  for (const auto& [name, registered] : folds_.catalog->models().models()) {
    const ModelVersion* const version = registered.promoted();
    if (version == nullptr) continue;
    if (auto factors = load_factors_(*version)) out.emplace(name, std::move(factors));
  }
  return out;
}

// Copies share what did not change, so this costs what changed since the last time. The process
// that continues a journal publishes everything at its start, and a replay does at the same record:
// what is published is a function of the journal.
void State::publish(bool is_everything) {
  const Learner& learner = folds_.learner;
  const bool is_model_new = is_everything || learner.updates() != published_updates_;
  const bool is_taste_due = is_everything || (is_taste_dirty_ && folds_.tick % kTasteTicks == 0);
  const std::uint64_t revision = stream_ == nullptr ? 0 : stream_->revision();
  const bool has_learned = revision != published_revision_;
  const auto before = published_;
  if (!is_model_new && !is_taste_due && !has_learned && counted_.empty() &&
      before->catalog == folds_.catalog) {
    return;
  }
  auto next = before ? std::make_shared<Published>(*before) : std::make_shared<Published>();
  next->version = folds_.tick;
  next->time = folds_.clock;
  next->catalog = folds_.catalog;
  if (is_everything || before->catalog->plan() != folds_.catalog->plan()) {
    next->plan = std::make_shared<Plan>(plan_of(*folds_.catalog).value());
  }
  const bool is_catalog_new = is_everything || before->catalog != folds_.catalog;
  if (is_catalog_new || has_learned) {
    next->models = rank_models(*next->plan);
    published_revision_ = revision;
  }
  if (is_catalog_new) {
    next->retrievers = retrievers();
  }
  if (is_everything || !counted_.empty()) {
    next->counters = std::make_shared<Counters>(folds_.counters);
  }
  if (is_taste_due) {
    next->item_item = std::make_shared<ItemItem>(folds_.item_item);
    next->persons_alike = std::make_shared<PersonsAlike>(folds_.persons_alike);
  }
  if (is_model_new) next->weights = std::make_shared<WeightTable>(learner.model().weights());
  if (is_everything) {
    rank_lists(*next);
  } else {
    refresh_lists(*next, *before->catalog, counted_);
  }
  published_updates_ = learner.updates();
  counted_.clear();
  if (is_taste_due) is_taste_dirty_ = false;
  published_ = std::move(next);
}

Profile State::person(Surrogate any) {
  const auto members = folds_.graph.members(any);
  if (members.size() == 1) return decoded(any);
  std::vector<Profile> parts(members.size());
  std::vector<const Profile*> present;
  for (std::size_t i = 0; i < members.size(); ++i) {
    const std::string_view bytes = shard(members[i]).find(members[i]);
    if (bytes.empty()) continue;
    CHECK(Profile::decode(bytes, parts[i]).ok());
    present.push_back(&parts[i]);
  }
  return merge(present);
}

Position State::position_of(Surrogate any) {
  Position last = 0;
  for (const Surrogate member : folds_.graph.members(any)) {
    last = std::max(last, decoded(member).position);
  }
  return last;
}

bool State::may_refuse_storage() const {
  return folds_.has_storage_denials ||
         (folds_.setup.denied_by_default & bit(Purpose::kStorage)) != 0;
}

std::uint8_t State::denied(Surrogate any) {
  const Profile known = person(any);
  return known.position == 0 ? folds_.setup.denied_by_default : known.denied_purposes;
}

bool State::trim() {
  bool is_kept = true;
  for (ProfileCache& shard : shards_) is_kept &= shard.trim();
  return is_kept;
}

void State::set_profile_limit(std::size_t bytes) {
  for (ProfileCache& shard : shards_) shard.set_limit(bytes / shards_.size());
}

void State::begin_checkpoint() {
  for (ProfileCache& shard : shards_) shard.begin_checkpoint();
}

void State::sort_checkpoint() {
  for (ProfileCache& shard : shards_) shard.sort_checkpoint();
}

bool State::take(std::size_t most, std::vector<std::pair<Surrogate, std::string>>& out) {
  return std::any_of(shards_.begin(), shards_.end(),
                     [&](ProfileCache& shard) { return shard.take(most, out); });
}

void State::end_checkpoint(bool is_stored) {
  for (ProfileCache& shard : shards_) shard.end_checkpoint(is_stored);
}

namespace {

std::size_t sum_of(const std::vector<ProfileCache>& shards,
                   std::size_t (ProfileCache::*count)() const) {
  std::size_t sum = 0;
  for (const ProfileCache& shard : shards) sum += (shard.*count)();
  return sum;
}

}  // namespace

std::size_t State::changed_profiles() const { return sum_of(shards_, &ProfileCache::changed); }
std::size_t State::resident_profiles() const { return sum_of(shards_, &ProfileCache::resident); }
std::size_t State::profile_bytes() const { return sum_of(shards_, &ProfileCache::memory_bytes); }

std::size_t State::waiting_bytes() const {
  std::size_t bytes = pending_.capacity() * sizeof(Entry) + others_.capacity() * sizeof(Surrogate) +
                      touched_.capacity() * sizeof(ItemKey);
  for (const Entry& entry : pending_) {
    bytes += entry.decision ? sizeof(Waiting) + entry.decision->rows.bytes().size() : 0;
  }
  return bytes;
}

std::size_t State::published_bytes() const {
  const Published& p = *published_;
  std::size_t bytes = (p.popular.capacity() + p.latest.capacity()) * sizeof(void*);
  if (p.catalog != folds_.catalog) bytes += p.catalog->memory_bytes();
  bytes += p.counters->items.bytes_beside(folds_.counters.items);
  bytes += p.item_item->bytes_beside(folds_.item_item);
  bytes += p.persons_alike->bytes_beside(folds_.persons_alike);
  return bytes + p.weights->bytes_beside(folds_.learner.model().weights());
}

Result<std::vector<FoldHash>> State::hashes(
    ProfileStore* store, const std::function<std::string(Surrogate, std::string_view)>& open) {
  std::uint64_t profiles = 0;  // a sum, so that the order of identities does not matter
  const auto add = [&](Surrogate identity, std::string_view bytes) {
    if (!bytes.empty()) profiles += mix64(raw(identity), hash64(bytes));
  };
  for (const ProfileCache& shard : shards_) shard.each_resident(add);
  if (store) {
    TRY_OK(store->each([&](Surrogate identity, std::string_view bytes) {
      if (!shard(identity).is_resident(identity)) add(identity, open(identity, bytes));
      return ok_status();
    }));
  }
  std::string counters;
  encode_counters(folds_.counters, counters);
  return std::vector<FoldHash>{{"profiles", profiles},
                               {"identity_graph", hash_of(folds_.graph)},
                               {"catalog", hash_of(*folds_.catalog)},
                               {"imports", hash_of(folds_.imports)},
                               {"item_counters", hash64(counters)},
                               {"item_item", hash_of(folds_.item_item)},
                               {"persons_alike", hash_of(folds_.persons_alike)},
                               {"learner", hash_of(folds_.learner)}};
}

}  // namespace attune
