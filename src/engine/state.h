// State: all folds of the journal in one place. A function of the records applied, in journal
// order; live and replay call the same functions. One caller at a time.
#pragma once
#include <memory>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

#include "decide/decide.h"
#include "engine/engine.h"
#include "learn/learner.h"
#include "model/item_item.h"
#include "profile/graph.h"
#include "profile/profile.h"

namespace attune {

class State {
 public:
  explicit State(int shards);

  // Folds of one identity: at once.
  void event(Position at, Surrogate identity, const Event& event);
  void decision(Position at, Surrogate identity, const Decision& decision);
  void link(Position at, Surrogate a, Surrogate b);
  void unlink(Surrogate a, Surrogate b);
  Status control(Position at, std::string_view change, Time received);
  void erase(std::span<const Surrogate> identities);
  // Folds across people: everything since the last tick, then what time brings.
  void tick(std::uint64_t number, Time clock);
  // A base: the folds across people as of a position; records up to it leave them alone.
  std::string encode_base(Position at) const;
  Status load_base(std::string_view bytes);

  Profile person(Surrogate any) const;  // merge of the identities of that person
  const Profile* profile(Surrogate identity) const;
  const IdentityGraph& graph() const { return graph_; }
  std::shared_ptr<const Catalog> catalog() const { return catalog_; }
  std::shared_ptr<const Published> published() const { return published_; }
  const Learner& learner() const { return learner_; }
  std::uint64_t tick_number() const { return tick_; }
  Time clock() const { return clock_; }
  std::size_t profile_count() const;
  std::vector<FoldHash> hashes() const;

 private:
  struct Entry {  // what happened since the last tick, as the folds across people need it
    Position at = 0;
    Surrogate identity{};
    std::vector<Surrogate> person;
    std::vector<ItemKey> recent;  // the person's items before this event, newest last
    std::shared_ptr<const Event> event;
    std::shared_ptr<const Decision> decision;
  };
  using Shard = std::unordered_map<Surrogate, Profile, IdHash>;
  Shard& shard(Surrogate s) { return shards_[raw(s) % shards_.size()]; }
  const Shard& shard(Surrogate s) const { return shards_[raw(s) % shards_.size()]; }
  ItemView view_of(ItemKey item) const;
  void fold(const Entry& entry);
  void count_shown(ItemKey item, Time when);
  void publish();
  void encode_counters(std::string& out) const;

  std::vector<Shard> shards_;
  IdentityGraph graph_;
  std::shared_ptr<const Catalog> catalog_;
  std::vector<Entry> pending_;
  Counters counters_;
  ItemItem item_item_;
  Learner learner_;
  std::uint64_t tick_ = 0;
  Time clock_{};
  Position base_ = 0;
  std::uint64_t published_updates_ = 0;
  bool is_counters_dirty_ = true, is_catalog_dirty_ = true, is_item_item_dirty_ = true;
  std::shared_ptr<const Published> published_;
};

}  // namespace attune
