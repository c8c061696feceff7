#include "engine/folds.h"

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

Status store_folds(const Folds& folds, FoldPart part, const SealRow& seal, const FoldSink& sink) {
  if (part == FoldPart::kAll) {
    TRY_OK(store_one("graph", folds.graph, sink));
    TRY_OK(store_one("catalog", *folds.catalog, sink));
  }
  TRY_OK(store_one("counters", folds.counters, sink));
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
    TRY(folds.counters, Counters::decode(bytes));
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
