// Catalog: items, placements, API keys and registered models, the fold of control records.
// Immutable versions: a reader holds a shared_ptr<const Catalog>; a change is made to a copy, which
// shares all that stays. One writer.
#pragma once
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/cow_map.h"
#include "base/result.h"
#include "base/time.h"
#include "catalog/key.h"
#include "catalog/registry.h"
#include "event/id.h"
#include "event/topic.h"

namespace attune {

struct Item {
  std::string id;
  ItemKey key{};
  std::string category;  // "" = none
  std::vector<std::string> tags;
  double price = 0;
  bool is_hidden = false;
  Time created{};
  std::string attributes;     // JSON object text as sent
  std::vector<Topic> topics;  // of category and tags; set when put
  std::vector<float> vector;  // of the attribute "vector", a list of numbers; set when put
  std::uint64_t maker = 0;    // hash of the attribute "brand" or "author"; 0 = none; set when put
};

struct Rule {
  enum class Kind { kPin, kHide, kBoost, kMaxPerCategory } kind = Kind::kBoost;
  std::string item_id;   // pin, hide, boost: this item, or
  std::string category;  // hide, boost: all items of this category
  int position = 0;      // pin: place in the slate, from 0
  double factor = 1;     // boost: score multiplier, > 0
  int limit = 0;         // max_per_category
};

struct Placement {
  std::string name = "default";
  double epsilon = 0.05;           // share of slate places filled at random, in [0, 1]
  double control_share = 0.05;     // persons always served by popularity, in [0, 1]
  double seen_window_s = 86400;    // an item shown is not shown again within; 0 = off
  double outcome_window_s = 1800;  // a click later than this does not count
  // What is not clicked so long counts as not clicked, until it is (late_answers.h); 0 = only at
  // the window's end.
  double negative_after_s = 0;
  bool is_impression_served = true;  // a served slate counts as seen, no impression event needed
  int candidates = 500;              // scored at most
  std::string model;                 // whose promoted version ranks; "" = the live learner
  std::string retriever;             // factors that draw candidates; "" = none
  double diversity = 0;              // each like item above takes this share of a score, in [0, 1]
  double freshness = 0;              // share of its score the oldest item loses, in [0, 1]
  double freshness_half_life_s = 604800;  // after it an item has lost half of that
  std::vector<Rule> rules;
};

class Catalog {
 public:
  using Items = CowArray<std::shared_ptr<const Item>, 64>;
  // {"op":"put_item","item":{"id","category","tags","price","is_hidden","created"}},
  // {"op":"delete_item","id"}, {"op":"put_placement","placement":{...}},
  // {"op":"put_key","key":{"id","name","hash","salt","scopes"}}, {"op":"revoke_key","id"},
  // {"op":"put_plan","plan"}, {"op":"register_model","model":{"name","id","kind","input","bytes",
  // "about"}}, {"op":"promote_model","name","version","reason"}, {"op":"roll_back_model","name",
  // "reason"}, {"op":"remove_model","name","version"},
  // {"op":"challenge_model","name","version","share","promote_when_better","reason"},
  // {"op":"retire_challenger","name","reason"},
  // {"op":"teach_model","name","version","is_learning","reason"}: applies one, or says why not.
  Status apply(std::string_view control_json, Time received);
  const Item* find(ItemKey key) const;
  const Item* find(std::string_view id) const { return find(item_key(id)); }
  const Placement& placement(std::string_view name) const;  // the default's when unknown
  const Items& items() const { return items_; }
  const std::map<std::string, Placement, std::less<>>& placements() const { return placements_; }
  // By id; revoked ones stay, so that their use can be told from a guess.
  const std::map<std::string, StoredKey, std::less<>>& keys() const { return keys_; }
  const std::string& plan() const { return plan_; }  // TOML (feature/plan.h); "" = the default
  const ModelRegistry& models() const { return models_; }
  // Canonical bytes of everything, for fold hashes and snapshots.
  void encode(std::string& out) const;
  static Result<Catalog> decode(std::string_view bytes);
  std::size_t memory_bytes() const;  // estimate

 private:
  Status put(Item item);
  Status put(StoredKey key);
  Status put(Placement placement);
  Status remove_item(const std::string& id);
  Status revoke(const std::string& id);

  std::size_t bytes_ = 0;  // of the items themselves
  Items items_;            // order of first put; deletion moves the last
  CowMap<ItemKey, std::uint32_t, 64> index_;
  std::map<std::string, Placement, std::less<>> placements_;
  std::map<std::string, StoredKey, std::less<>> keys_;
  std::string plan_;
  ModelRegistry models_;
};

std::string item_json(const Item& item);
std::string placement_json(const Placement& placement);  // as it is put, with every field

}  // namespace attune
