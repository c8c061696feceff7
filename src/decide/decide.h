// decide: the answer to one request. Pure: time, chance and everything known are passed in.
#pragma once
#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/rng.h"
#include "catalog/catalog.h"
#include "event/decision.h"
#include "feature/plan.h"
#include "model/item_item.h"
#include "profile/profile.h"

namespace attune {

// What decisions read: immutable, made at a tick.
struct Published {
  std::uint64_t version = 0;  // number of the tick
  Time time{};
  std::shared_ptr<const Catalog> catalog;
  std::shared_ptr<const Counters> counters;
  std::shared_ptr<const ItemItem> item_item;
  std::shared_ptr<const std::vector<float>> weights;  // length a power of two
  std::vector<std::shared_ptr<const Item>> popular;   // best smoothed rate first
  std::vector<std::shared_ptr<const Item>> latest;    // newest first
};

// Fills popular and latest from catalog and counters; at most `limit` each.
void rank_lists(Published& published, std::size_t limit = 1000);

struct DecideRequest {
  std::string person_id;
  std::string placement = "default";
  int n = 10;                           // in [1, 100]
  std::vector<std::string> candidates;  // empty: found by the engine
};

// person: the merged profile. is_known: anything is stored of them. person_hash: stable per person,
// decides the control share. kInvalid when n is out of range. O(candidates).
Result<Decision> decide(const DecideRequest& request, const Profile& person, bool is_known,
                        std::uint64_t person_hash, const Placement& placement,
                        const Published& published, Time now, Rng& rng, std::string decision_id);

// "d_" and 26 Crockford base32 characters: 48 bits of milliseconds, then chance.
std::string new_decision_id(Time now, Rng& rng);

}  // namespace attune
