// Replay against live: rebuilds every fold from base and journal and compares one hash per fold.
#include <fmt/format.h>

#include <filesystem>

#include "base/bytes.h"
#include "engine/row_check.h"
#include "engine/workspace.h"

namespace attune {
Result<VerifyReport> Workspace::verify(int shards) {
  const std::scoped_lock lock(checkpoint_mutex_);
  VerifyReport report;
  Position end = 0;
  const auto open = [this](Surrogate who, std::string_view bytes) {
    return unseal(who, bytes).value_or("");
  };
  {
    const std::scoped_lock state_lock(mutex_);
    TRY_OK(tick_locked(now_locked()));
    end = journal_->end();
    TRY(report.live, state_.hashes(store_.get(), open));
  }
  TRY_OK(journal_->flush());
  std::unique_ptr<ProfileStore> base;
  if (std::filesystem::exists(path("base.db"))) {
    TRY(base, open_sqlite_store(path("base.db")));
  }
  const ProfileCache::Load load = [&](Surrogate identity) -> Result<std::string> {
    TRY(const std::string bytes, base->load(identity));
    return open(identity, bytes);
  };
  State rebuilt(
      {.shards = shards,
       .load_model =
           [this](const RegisteredModel& model, const ModelVersion& version, const Plan& plan) {
             return RankModel{fmt::format("{}@{}", model.name, version.number),
                              registered_model(version, plan)};
           }},
      base ? load : ProfileCache::Load());
  if (base) TRY_OK(load_base(*base, rebuilt));
  RowCheck rows(*keyring_);
  std::uint64_t erased = 0;
  ReplayHooks hooks;
  hooks.decision = [&](Position at, Surrogate identity, const Decision& made) {
    rows.check(at, identity, made, rebuilt);
  };
  hooks.unreadable = [&](Kind kind) { erased += kind == Kind::kDecision ? 1 : 0; };
  const Position from = base ? base->position() + 1 : 1;
  TRY_OK(replay(*journal_, *keyring_, {from, end}, rebuilt, hooks));
  TRY(report.rebuilt, rebuilt.hashes(base.get(), open));
  report.rows = rows.report();
  report.rows.erased = erased;
  report.is_equal = report.live == report.rebuilt && report.rows.differing == 0;
  return report;
}

// Also of state.db, which is the base's copy when it was lost.
Status Workspace::load_base(ProfileStore& base, State& state) {
  const auto open = [this](Surrogate who, std::string_view bytes) { return unseal(who, bytes); };
  TRY_OK(load_folds(base, FoldPart::kAll, open, state.folds()));
  TRY(const std::string across, base.load_fold("across"));
  state.set_across_from(Reader(across).u64());
  return ok_status();
}

}  // namespace attune
