// Undoing an import: the folds are rebuilt without its records and become the base. The base is
// what makes it so: before base.db is replaced nothing has happened, afterwards all has
// (docs/decisions/0009).
#include <fmt/format.h>

#include <algorithm>
#include <filesystem>

#include "base/bytes.h"
#include "engine/workspace.h"
#include "journal/file.h"

namespace attune {
namespace {

namespace fs = std::filesystem;
constexpr std::size_t kProfilesATime = 1024;

void remove_store(const std::string& file) {
  for (const char* end : {"", "-wal", "-shm"}) fs::remove(file + end);
}

Error too_late(const Import& import, Position base) {
  return {
      Code::kConflict,
      fmt::format("import {} can no longer be undone: a cut (an erasure, a retention or another "
                  "undo) made record {} the base, and the import is part of it",
                  import.number, base),
      "", "restore a backup from before the import, or erase its persons one by one"};
}

}  // namespace

// All of a state that was rebuilt over what the store holds.
Status Workspace::store_rebuilt(State& rebuilt, ProfileStore& store, Position at) {
  TRY_OK(store.begin());
  rebuilt.begin_checkpoint();
  rebuilt.sort_checkpoint();
  std::vector<std::pair<Surrogate, std::string>> taken;
  while (rebuilt.take(kProfilesATime, taken)) {
    for (const auto& [identity, bytes] : taken) {
      TRY_OK(store.put(identity, bytes.empty() ? "" : seal(identity, bytes)));
    }
  }
  const auto seal_row = [this](Surrogate who, std::string_view row) { return seal(who, row); };
  TRY_OK(store_folds(
      rebuilt.folds(), FoldPart::kAll, seal_row,
      [&](std::string_view name, std::string_view bytes) { return store.put_fold(name, bytes); }));
  std::string across;
  Writer(across).u64(at);
  TRY_OK(store.put_fold("across", across));
  return store.finish(at);
}

// base.db.new: the base and the journal up to `at`, as if the import had never been.
Status Workspace::write_base_without(const Import& import, Position at) {
  const std::string fresh = path("base.db.new");
  remove_store(fresh);
  std::unique_ptr<ProfileStore> base;
  if (fs::exists(path("base.db"))) {
    TRY(base, open_sqlite_store(path("base.db")));
    TRY(const std::string across, base->load_fold("across"));
    const Position held = std::max(base->position(), Position{Reader(across).u64()});
    const bool is_held = !import.blocks.empty() && import.blocks.front().first <= held;
    if (is_held) return too_late(import, held);
    TRY_OK(base->copy_to(fresh));
  }
  const ProfileCache::Load load = [&](Surrogate identity) -> Result<std::string> {
    TRY(const std::string bytes, base->load(identity));
    return unseal(identity, bytes).value_or("");
  };
  State rebuilt({.shards = options_.shards}, base ? load : ProfileCache::Load());
  if (base) TRY_OK(load_base(*base, rebuilt));
  ReplayHooks hooks;
  hooks.skips = [&](Position position) {
    const auto block = std::upper_bound(import.blocks.begin(), import.blocks.end(), position,
                                        [](Position p, const auto& b) { return p < b.first; });
    return block != import.blocks.begin() && position <= std::prev(block)->second;
  };
  TRY(const Position last,
      replay(*journal_, *keyring_, {.from = base ? base->position() + 1 : 1, .to = at}, rebuilt,
             hooks));
  CHECK(last == at);
  rebuilt.folds().imports.mark_undone(import.number);
  TRY(const auto store, open_sqlite_store(fresh));
  return store_rebuilt(rebuilt, *store, at);
}

Status Workspace::undo_import(std::uint64_t number) {
  TRY_OK(ready());
  const std::scoped_lock one_cut(checkpoint_mutex_);
  const bool is_staged = fs::exists(staged_path(number));
  Import import;
  {
    const std::scoped_lock lock(mutex_);
    const Import* const found = state_.folds().imports.find(number);
    if (!found && !is_staged) {
      return Error{Code::kNotFound, fmt::format("there is no import {}", number), "",
                   "attune import list shows them"};
    }
    if (found) import = *found;
    if (import.is_undone) {
      return Error{Code::kConflict, fmt::format("import {} is undone already", number)};
    }
  }
  if (is_staged) TRY_OK(drop_staged(number));
  if (import.number == 0) return ok_status();
  const std::scoped_lock lock(mutex_);
  TRY_OK(tick_locked(now_locked()));
  const Position at = journal_->end();
  TRY_OK(journal_->flush());
  TRY_OK(write_base_without(import, at));
  is_closed_ = true;  // what is in memory still holds it
  for (const char* side : {"base.db-wal", "base.db-shm"}) fs::remove(path(side));
  std::error_code error;
  fs::rename(path("base.db.new"), path("base.db"), error);
  if (error) return file_error("replace", path("base.db"));
  TRY_OK(sync_directory(options_.workspace));
  remove_store(path("state.db"));  // the next start makes it from the base
  return ok_status();
}

}  // namespace attune
