// Folds: all that a workspace knows but the profiles, as of one journal position. Copying is cheap
// beside encoding, so that a checkpoint copies under the lock and encodes outside it.
#pragma once
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "catalog/catalog.h"
#include "engine/imports.h"
#include "engine/setup.h"
#include "feature/counters.h"
#include "learn/learner.h"
#include "model/item_item.h"
#include "model/persons_alike.h"
#include "profile/graph.h"
#include "profile/store.h"

namespace attune {

void encode_counters(const Counters& counters, std::string& out);
Result<Counters> decode_counters(std::string_view bytes);

struct Folds {
  // Of identities: each depends on its own records only.
  IdentityGraph graph;
  // Of control records.
  std::shared_ptr<const Catalog> catalog = std::make_shared<Catalog>();
  Setup setup;      // of the last open record
  Imports imports;  // of import records
  // Across people: they change at ticks.
  Counters counters;
  ItemItem item_item;
  PersonsAlike persons_alike;
  Learner learner;
  std::uint64_t tick = 0;
  Time clock{};
  bool has_storage_denials = false;  // somebody refused to be stored, once
};

// seal, open: what waits of a person in the learner, and what persons took, is stored sealed.
// Which part of the folds: a cut for an erasure renews the folds across people alone.
enum class FoldPart { kAll, kAcross };
using FoldSink = std::function<Status(std::string_view name, std::string_view bytes)>;
// Hands out the encoded folds by name, one at a time.
Status store_folds(const Folds& folds, FoldPart part, const SealRow& seal, const FoldSink& sink);
// Reads back what is there of that part; a fold that was never stored stays as it is.
Status load_folds(ProfileStore& store, FoldPart part, const OpenRow& open, Folds& folds);

}  // namespace attune
