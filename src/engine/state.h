// State: all folds of the journal in one place. A function of the records applied, in journal
// order; live and replay call the same functions. One caller at a time.
#pragma once
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "decide/decide.h"
#include "engine/engine.h"
#include "engine/folds.h"
#include "engine/profile_cache.h"

namespace attune {

// What ranks of a version of a model, whose rows are made by this plan; without a model: it cannot.
using LoadModel = std::function<RankModel(const RegisteredModel& model, const ModelVersion& version,
                                          const Plan& plan)>;

// Models that follow what the learner learns from.
class StreamModels;

// The vectors of a version that is promoted; null: it is of another kind, or cannot be read.
using LoadFactors = std::function<std::shared_ptr<const ItemFactors>(const ModelVersion& version)>;

struct StateOptions {
  int shards = 1;                      // partitions of the identities; nothing depends on it
  LoadModel load_model = nullptr;      // null: no registered model ranks
  LoadFactors load_factors = nullptr;  // null: none draws candidates
  StreamModels* stream = nullptr;      // null: none follows
};

// kInvalid when the catalog's plan is none.
Result<Plan> plan_of(const Catalog& catalog);

class State {
 public:
  explicit State(const StateOptions& options = {}, const ProfileCache::Load& load = nullptr);

  // Makes resident what the records of this identity touch. Before any of the calls below that
  // name it; the only ones that can fail for want of a disk.
  Status load(Surrogate identity);
  void add_new(Surrogate identity) { shard(identity).add_new(identity); }

  // Folds of one identity: at once.
  void event(Position at, Surrogate identity, const Event& event);
  // An event list (event.h) of an import. kCorrupt when it is none.
  Status events(Position at, Surrogate identity, std::string_view list, Time received);
  void decision(Position at, Surrogate identity, const Decision& decision);
  void link(Position at, Surrogate a, Surrogate b);
  void unlink(Surrogate a, Surrogate b) { folds_.graph.unlink(a, b); }
  // How far an import is (imports.h).
  Status import(Position at, std::string_view json, Time received) {
    return folds_.imports.apply(at, json, received);
  }
  // All apply, or none.
  Status control(std::span<const std::string> changes, Time received);
  void set_catalog(std::shared_ptr<const Catalog> catalog);
  void erase(std::span<const Surrogate> identities);
  // Folds across people: everything since the last tick, then what time brings; publishes.
  void tick(std::uint64_t number, Time clock);
  // The process began again here, or a cut was made: publishes everything.
  void open(const Setup& setup);

  // Records up to this one leave the folds across people alone: they hold them already.
  void set_across_from(Position at) { across_from_ = at; }
  Position across_from() const { return across_from_; }
  Folds& folds() { return folds_; }
  const Folds& folds() const { return folds_; }
  const IdentityGraph& graph() const { return folds_.graph; }
  const Learner& learner() const { return folds_.learner; }
  std::shared_ptr<const Catalog> catalog() const { return folds_.catalog; }
  std::shared_ptr<const Published> published() const { return published_; }
  std::uint64_t tick_number() const { return folds_.tick; }
  Time clock() const { return folds_.clock; }

  Profile person(Surrogate any);        // merge of the identities of that person; load() first
  Position position_of(Surrogate any);  // of that merge, at the cost of reading it only
  // Purposes refused by that person, with the default for those who said nothing.
  std::uint8_t denied(Surrogate any);
  bool may_refuse_storage() const;

  // Profiles of all shards as one.
  bool trim();  // false: too much is changed to keep the limit
  void set_profile_limit(std::size_t bytes);
  void begin_checkpoint();
  void sort_checkpoint();  // not under the lock: beside all but the calls of the checkpoint itself
  bool take(std::size_t most, std::vector<std::pair<Surrogate, std::string>>& out);
  void end_checkpoint(bool is_stored);
  std::size_t changed_profiles() const;
  std::size_t resident_profiles() const;
  std::size_t profile_bytes() const;

  // Records since the last tick, and what the published version holds beside the folds.
  std::size_t waiting_bytes() const;
  std::size_t published_bytes() const;

  // One hash per fold over a canonical encoding. store: where profiles not resident are; its bytes
  // go through `open` first. Null = all are resident.
  Result<std::vector<FoldHash>> hashes(
      ProfileStore* store, const std::function<std::string(Surrogate, std::string_view)>& open);

 private:
  struct Entry {  // what happened since the last tick, as the folds across people need it
    Position at = 0;
    Surrogate identity{};
    std::uint8_t denied = 0;           // purposes, by this identity; of a decision, by any
    std::uint8_t denied_by_other = 0;  // by any identity of the person, before this event
    std::uint32_t others = 0;          // identities of the person in others_, when more than one
    std::uint32_t touched = 0;         // items before this event in touched_, newest last
    Deed deed;
    std::unique_ptr<const Waiting> decision;
  };
  // Shards are ranges of surrogates, which are random: so a checkpoint goes through the store once.
  ProfileCache& shard(Surrogate s) { return shards_[(raw(s) >> 32) * shards_.size() >> 32]; }
  const Profile& decoded(Surrogate identity);
  void store(Surrogate identity, const Profile& profile);
  Entry& note(Position at, Surrogate identity);
  void note_touched(Entry& entry);
  void fold_profile(Position at, Surrogate identity, const Event& event, bool is_more);
  ItemView view_of(ItemKey item) const;
  void fold_event(const Entry& entry, std::span<const Surrogate> person,
                  std::span<const ItemKey> touched);
  void fold_taken(const Entry& entry, std::span<const ItemKey> touched);
  void count(ItemKey item, Time when, DecayedCount Affinity::*what);
  void publish(bool is_everything);
  std::map<std::string, RankModels, std::less<>> rank_models(const Plan& plan) const;

  std::map<std::string, std::shared_ptr<const ItemFactors>, std::less<>> retrievers() const;

  LoadModel load_model_;
  LoadFactors load_factors_;
  StreamModels* stream_;
  std::uint64_t published_revision_ = 0;  // of stream_
  std::vector<ProfileCache> shards_;
  Folds folds_;
  std::shared_ptr<Catalog> draft_;  // the same object as folds_.catalog, or null
  Position across_from_ = 0;
  Profile scratch_;
  StoredEvent stored_;
  std::string encoded_;
  std::vector<Entry> pending_;
  std::vector<Surrogate> others_;
  std::vector<ItemKey> touched_, recent_;
  std::uint64_t published_updates_ = 0;
  std::vector<ItemKey> counted_;  // since the last publication
  bool is_taste_dirty_ = true;    // what people took
  std::shared_ptr<const Published> published_;
};

}  // namespace attune
