// Cuts: what must become the new base, because the journal before it can no longer tell it all.
// base.db holds folds across people as of the last cut and, after a retention cut, all other folds
// and the profiles too.
#include <fmt/format.h>

#include <filesystem>

#include "base/bytes.h"
#include "base/json.h"
#include "engine/workspace.h"
#include "journal/file.h"

namespace attune {
namespace {

std::string encode_position(Position at) {
  std::string out;
  Writer(out).u64(at);
  return out;
}

Error cannot(std::string_view what, const std::error_code& error) {
  return {Code::kUnavailable, fmt::format("cannot {}: {}", what, error.message()), "",
          "check free space and permissions"};
}

}  // namespace

Status Workspace::renew_base_across(Position at, const Folds& folds) {
  TRY(const auto base, open_sqlite_store(path("base.db")));
  TRY_OK(base->begin());
  const auto put_all = [&]() -> Status {
    const auto seal_row = [this](Surrogate who, std::string_view row) { return seal(who, row); };
    TRY_OK(store_folds(folds, FoldPart::kAcross, seal_row,
                       [&](std::string_view name, std::string_view bytes) {
                         return base->put_fold(name, bytes);
                       }));
    TRY_OK(base->put_fold("across", encode_position(at)));
    return base->finish(base->position());
  };
  Status status = put_all();
  if (!status.ok()) base->abandon();
  return status;
}

// Order matters: the erase record is durable; then state and base without the person; then the keys
// go. A crash in between leaves a tombstone in the journal's tail, and the next start ends the
// work.
//   folds: as of `at`, nothing waiting for a tick
Status Workspace::cut_for_erasure(Position at, const Folds& folds,
                                  std::span<const Surrogate> erased) {
  TRY_OK(renew_base_across(at, folds));
  TRY(const Position stored, checkpoint_under_lock(false));
  (void)stored;
  for (const Surrogate identity : erased) TRY_OK(keyring_->destroy(identity));
  const std::scoped_lock lock(mutex_);
  erasing_.clear();
  return ok_status();
}

// Under checkpoint_mutex_. The position of the erase record.
Result<Position> Workspace::erase_from_state(std::span<const Surrogate> identities, Folds& folds) {
  const std::scoped_lock lock(mutex_);
  TRY_OK(tick_locked(now_locked()));
  Record record{.kind = Kind::kErase, .received = state_.clock(), .payload = {}};
  Writer writer(record.payload);
  for (const Surrogate identity : identities) writer.u64(raw(identity));
  for (const Surrogate identity : identities) TRY_OK(state_.load(identity));
  TRY(const Position at, journal_->append({&record, 1}));
  state_.erase(identities);
  erasing_.assign(identities.begin(), identities.end());
  ++erasures_;
  counts_.erased += identities.size();
  folds = state_.folds();
  TRY_OK(open_record());
  return at;
}

Status Workspace::erase_identities(std::span<const Surrogate> identities) {
  Folds folds;
  TRY(const Position at, erase_from_state(identities, folds));
  TRY_OK(journal_->flush());
  return cut_for_erasure(at, folds, identities);
}

// What a crash left half done, and, in a restored backup, persons whose keys are gone.
Status Workspace::finish_erasures() {
  const std::scoped_lock lock(checkpoint_mutex_);
  for (const Surrogate identity : state_.graph().identities()) {
    if (!keyring_->has_key(identity)) erased_.push_back(identity);
  }
  if (erased_.empty()) return ok_status();
  const std::vector<Surrogate> erased = std::move(erased_);
  erased_.clear();
  TRY_OK(erase_identities(erased));
  log(LogLevel::kInfo, "erasure_finished",
      {{"identities", static_cast<std::uint64_t>(erased.size())}});
  return ok_status();
}

Result<std::string> Workspace::erase(IdType type, std::string_view id) {
  const std::scoped_lock lock(checkpoint_mutex_);
  TRY(const std::vector<Surrogate> members, members_of(type, id));
  TRY_OK(erase_identities(members));
  std::string receipt;
  JsonWriter json(receipt);
  json.begin_object().field("erased_identities", static_cast<std::uint64_t>(members.size()));
  json.field("time", format_iso8601(now())).field("journal_position", journal_->end());
  json.key("stores").begin_object();
  json.field("journal", "unreadable: keys destroyed").field("profiles", "dropped");
  json.field("key_file", "slots overwritten and synced");
  json.field("learner", "pending rows dropped; weights shared by many people stay");
  json.field("item_counters", "sums over people stay");
  json.field("message_ids", "keyed hashes stay until their window of 7 days ends");
  json.field("backups", "unreadable: they hold no keys");
  json.field("logs", "hold no ids of persons").end_object().end_object();
  return receipt;
}

Result<std::uint64_t> Workspace::retain() {
  if (options_.retention_s <= 0) return std::uint64_t{0};
  const std::scoped_lock lock(checkpoint_mutex_);
  const Time oldest = now() - seconds(options_.retention_s);
  TRY(const auto cursor, journal_->read_at_time(oldest));
  TRY(const auto kept, cursor->next());
  const Position keep = kept ? kept->position : journal_->end();
  const Position before = journal_->first();
  if (journal_->first_after_drop(keep) == before) return std::uint64_t{0};
  TRY(const Position at, checkpoint_under_lock(true));
  const std::string fresh = path("base.db.new");
  std::filesystem::remove(fresh);
  TRY_OK(store_->copy_to(fresh));
  {
    TRY(const auto base, open_sqlite_store(fresh));
    TRY_OK(base->begin());
    TRY_OK(base->put_fold("across", encode_position(at)));
    TRY_OK(base->finish(at));
  }
  for (const char* side : {"base.db-wal", "base.db-shm"}) std::filesystem::remove(path(side));
  std::error_code error;
  std::filesystem::rename(fresh, path("base.db"), error);
  if (error) return cannot("replace " + path("base.db"), error);
  TRY_OK(sync_directory(options_.workspace));
  TRY(const Position first, journal_->drop_before(std::min(keep, at)));
  return first - before;
}

Status Workspace::backup(const std::string& folder) {
  namespace fs = std::filesystem;
  const std::scoped_lock lock(checkpoint_mutex_);
  TRY(const Position at, checkpoint_under_lock(false));
  (void)at;
  std::error_code error;
  if (fs::exists(folder)) {
    return Error{Code::kConflict, fmt::format("{} is there already", folder), "output",
                 "name a folder that does not exist yet"};
  }
  fs::create_directories(folder, error);
  if (error) return cannot("make " + folder, error);
  TRY_OK(store_->copy_to(folder + "/state.db"));
  for (const char* part : {"journal", "ids", "models", "base.db"}) {
    if (!fs::exists(path(part))) continue;
    fs::copy(path(part), folder + "/" + part, fs::copy_options::recursive, error);
    if (error) return cannot(fmt::format("copy {}", path(part)), error);
  }
  fs::remove(folder + "/journal/LOCK", error);
  return sync_directory(folder);
}

}  // namespace attune
