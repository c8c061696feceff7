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
  writer.str(settings_json(folds.settings));
  return out;
}

Status decode_clock(std::string_view bytes, Folds& folds) {
  Reader in(bytes);
  folds.tick = in.u64();
  folds.clock = time_from_us(in.svarint());
  folds.has_storage_denials = in.u8() != 0;
  const std::string_view settings = in.str();
  if (in.ok() && in.done()) {
    TRY(folds.settings, parse_settings(settings));
    return ok_status();
  }
  return Error{Code::kCorrupt, "the stored clock is damaged", "",
               "remove state.db to rebuild it from the journal"};
}

constexpr std::uint32_t kBaseSeconds = 0xffffffff;

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

}  // namespace

void encode_counters(const Counters& counters, std::string& out) {
  std::vector<ItemKey> keys;
  for (const auto& [key, affinity] : counters.items) keys.push_back(key);
  std::sort(keys.begin(), keys.end());
  Writer writer(out);
  counters.all.shown.encode(out, kBaseSeconds);
  counters.all.engaged.encode(out, kBaseSeconds);
  writer.varint(keys.size());
  for (const ItemKey key : keys) {
    writer.u64(raw(key));
    counters.items.at(key).shown.encode(out, kBaseSeconds);
    counters.items.at(key).engaged.encode(out, kBaseSeconds);
  }
}

Result<Counters> decode_counters(std::string_view bytes) {
  Counters counters;
  Reader in(bytes);
  bool ok = DecayedCount::decode(in, kBaseSeconds, counters.all.shown) &&
            DecayedCount::decode(in, kBaseSeconds, counters.all.engaged);
  for (std::uint64_t left = in.varint(); left > 0 && in.ok(); --left) {
    Affinity& affinity = counters.items[ItemKey{in.u64()}];
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
  }
  std::string counters;
  encode_counters(folds.counters, counters);
  TRY_OK(sink("counters", counters));
  TRY_OK(store_one("item_item", folds.item_item, sink));
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
  }
  TRY_OK(load_one(store, "counters", [&](std::string_view bytes) -> Status {
    TRY(folds.counters, decode_counters(bytes));
    return ok_status();
  }));
  TRY_OK(load_one(store, "item_item", [&](std::string_view bytes) -> Status {
    TRY(folds.item_item, ItemItem::decode(bytes));
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
