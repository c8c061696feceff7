#include "engine/folds.h"

#include <algorithm>

#include "base/bytes.h"

namespace attune {
namespace {

std::string encode_clock(const Folds& folds) {
  std::string out;
  Writer writer(out);
  writer.u64(folds.tick);
  writer.svarint(to_us(folds.clock));
  writer.u8(folds.has_storage_denials ? 1 : 0);
  return out;
}

Status decode_clock(std::string_view bytes, Folds& folds) {
  Reader in(bytes);
  folds.tick = in.u64();
  folds.clock = time_from_us(in.svarint());
  folds.has_storage_denials = in.u8() != 0;
  if (in.ok() && in.done()) return ok_status();
  return Error{Code::kCorrupt, "the stored clock is damaged", "",
               "remove state.db to rebuild it from the journal"};
}

constexpr std::uint32_t kBaseSeconds = 0xffffffff;
constexpr std::uint64_t kItemItemParts = 16;

template <class Fold>
Status store_one(std::string_view name, const Fold& fold, const FoldSink& sink) {
  std::string bytes;
  fold.encode(bytes);
  return sink(name, bytes);
}

// Calls use(bytes) when the fold was stored.
template <class Use>
Status load_one(ProfileStore& store, std::string_view name, const Use& use) {
  TRY(const std::string bytes, store.load_fold(name));
  return bytes.empty() ? ok_status() : use(bytes);
}

std::string item_item_name(std::uint64_t part) { return "item_item." + std::to_string(part); }

Status store_item_item(const ItemItem& item_item, const FoldSink& sink) {
  std::string bytes;
  for (std::uint64_t part = 0; part < kItemItemParts; ++part) {
    bytes.clear();
    item_item.encode_part(part, kItemItemParts, bytes);
    TRY_OK(sink(item_item_name(part), bytes));
  }
  return ok_status();
}

Status load_item_item(ProfileStore& store, ItemItem& item_item) {
  ItemItem loaded;
  bool is_there = false;
  for (std::uint64_t part = 0; part < kItemItemParts; ++part) {
    TRY_OK(load_one(store, item_item_name(part), [&](std::string_view bytes) {
      is_there = true;
      return loaded.add_part(bytes);
    }));
  }
  if (is_there) item_item = std::move(loaded);
  return ok_status();
}

}  // namespace

void encode_counters(const Counters& counters, std::string& out) {
  std::vector<ItemKey> keys;
  keys.reserve(counters.items.size());
  counters.items.each([&](ItemKey key, const Affinity&) { keys.push_back(key); });
  std::sort(keys.begin(), keys.end());
  Writer writer(out);
  counters.all.shown.encode(out, kBaseSeconds);
  counters.all.engaged.encode(out, kBaseSeconds);
  writer.varint(keys.size());
  for (const ItemKey key : keys) {
    const Affinity& affinity = *counters.items.find(key);
    writer.u64(raw(key));
    affinity.shown.encode(out, kBaseSeconds);
    affinity.engaged.encode(out, kBaseSeconds);
  }
}

Result<Counters> decode_counters(std::string_view bytes) {
  Counters counters;
  Reader in(bytes);
  bool ok = DecayedCount::decode(in, kBaseSeconds, counters.all.shown) &&
            DecayedCount::decode(in, kBaseSeconds, counters.all.engaged);
  for (std::uint64_t left = in.varint(); left > 0 && in.ok(); --left) {
    const ItemKey key{in.u64()};
    if (!in.ok() || key == ItemKey{}) break;
    Affinity& affinity = counters.items.change(key);
    ok = ok && DecayedCount::decode(in, kBaseSeconds, affinity.shown) &&
         DecayedCount::decode(in, kBaseSeconds, affinity.engaged);
  }
  if (ok && in.ok() && in.done()) return counters;
  return Error{Code::kCorrupt, "the stored item counters are damaged"};
}

Status store_folds(const Folds& folds, FoldPart part, const SealRow& seal, const FoldSink& sink) {
  if (part == FoldPart::kAll) {
    TRY_OK(store_one("graph", folds.graph, sink));
    TRY_OK(store_one("catalog", *folds.catalog, sink));
    TRY_OK(sink("setup", encode_setup(folds.setup, "")));
    TRY_OK(store_one("imports", folds.imports, sink));
  }
  std::string counters;
  encode_counters(folds.counters, counters);
  TRY_OK(sink("counters", counters));
  counters = {};  // one encoded fold at a time is in memory
  TRY_OK(store_item_item(folds.item_item, sink));
  std::string alike;
  folds.persons_alike.encode(alike, seal);
  TRY_OK(sink("persons_alike", alike));
  alike = {};
  std::string learner;
  folds.learner.encode(learner, seal);
  TRY_OK(sink("learner", learner));
  return sink("clock", encode_clock(folds));
}

Status load_folds(ProfileStore& store, FoldPart part, const OpenRow& open, Folds& folds) {
  if (part == FoldPart::kAll) {
    TRY_OK(load_one(store, "graph", [&](std::string_view bytes) -> Status {
      TRY(folds.graph, IdentityGraph::decode(bytes));
      return ok_status();
    }));
    TRY_OK(load_one(store, "catalog", [&](std::string_view bytes) -> Status {
      TRY(Catalog catalog, Catalog::decode(bytes));
      folds.catalog = std::make_shared<const Catalog>(std::move(catalog));
      return ok_status();
    }));
    TRY_OK(load_one(store, "setup", [&](std::string_view bytes) -> Status {
      TRY(folds.setup, decode_setup(bytes));
      return ok_status();
    }));
    TRY_OK(load_one(store, "imports", [&](std::string_view bytes) -> Status {
      TRY(folds.imports, Imports::decode(bytes));
      return ok_status();
    }));
  }
  TRY_OK(load_one(store, "counters", [&](std::string_view bytes) -> Status {
    TRY(folds.counters, decode_counters(bytes));
    return ok_status();
  }));
  TRY_OK(load_item_item(store, folds.item_item));
  TRY_OK(load_one(store, "persons_alike", [&](std::string_view bytes) -> Status {
    TRY(folds.persons_alike, PersonsAlike::decode(bytes, open));
    return ok_status();
  }));
  TRY_OK(load_one(store, "learner", [&](std::string_view bytes) -> Status {
    TRY(folds.learner, Learner::decode(bytes, open));
    return ok_status();
  }));
  return load_one(store, "clock",
                  [&](std::string_view bytes) { return decode_clock(bytes, folds); });
}

}  // namespace attune
