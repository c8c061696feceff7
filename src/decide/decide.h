// One decision: policy, candidates, scores, rules, exploration with exact propensities. Pure: the
// same inputs and seed give the same decision. Any thread; Published is immutable once shared.
#pragma once
#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/rng.h"
#include "catalog/catalog.h"
#include "decide/rank_model.h"
#include "event/decision.h"
#include "feature/row.h"
#include "model/item_factors.h"
#include "model/item_item.h"
#include "model/persons_alike.h"
#include "model/weight_table.h"
#include "profile/profile.h"

namespace attune {

// What a tick publishes for decisions to read; immutable, and sharing with the versions before it
// all that did not change. Pointers may be null except the catalog's.
struct Published {
  std::uint64_t version = 0;
  Time time{};
  std::shared_ptr<const Catalog> catalog;
  std::shared_ptr<const Plan> plan;  // null = the default
  std::shared_ptr<const Counters> counters;
  std::shared_ptr<const ItemItem> item_item;
  std::shared_ptr<const PersonsAlike> persons_alike;
  std::shared_ptr<const WeightTable> weights;
  // By name: models of the registry that a placement can ask for.
  std::map<std::string, RankModels, std::less<>> models;
  std::map<std::string, std::shared_ptr<const ItemFactors>, std::less<>> retrievers;
  // Items of `catalog` (rank_lists.h).
  std::vector<const Item*> popular;  // best smoothed rate first, then volume
  std::vector<const Item*> latest;   // newest first
};

struct DecideRequest {
  std::string person_id;  // external, only for messages
  std::string placement;
  int n = 10;                           // in [1, 100]
  std::vector<std::string> candidates;  // item ids, unknown ones are skipped; empty = choose
  std::string context = {};             // JSON object text, minified; "" = none
  std::int32_t utc_offset_s = 0;        // of the workspace's time zone now; the engine sets it
};

// Who asks.
struct Asker {
  const Profile& profile;
  bool is_known = false;                       // has records
  std::uint64_t hash = 0;                      // stable per person, decides the control share
  std::span<const Surrogate> identities = {};  // all of the person's
};

// Where and when, and from what.
struct Occasion {
  const Placement& placement;
  const Published& published;
  Time now{};
};

Result<Decision> decide(const DecideRequest& request, const Asker& asker, const Occasion& on,
                        Rng& rng, std::string decision_id);

// The parts of each shown item, computed again from what the decision was made of: bit for bit what
// it holds. No parts: the version's catalog has no such item. What scored must be there still
// (can_score_again).
std::vector<std::vector<Part>> parts_again(const Decision& made, const Profile& person,
                                           const Published& published);

// Whether the model that scored it is in this version.
bool can_score_again(const Decision& made, const Published& published);

// Whether a person belongs to the control share.
bool is_control(std::uint64_t person_hash, double control_share);
// Whether a canary of this model ranks for the person, for always while the share does not fall.
bool is_canary(std::uint64_t person_hash, std::string_view model, double share);

// "d_" and a ULID: 48-bit ms time, 80 random bits, Crockford base32.
std::string new_decision_id(Time now, Rng& rng);

}  // namespace attune
