// Cuts: what must become the new base, because the journal before it can no longer tell it all.
// base.db holds folds across people as of the last cut and, after a retention cut, all other folds
// and the profiles too.
#include <fmt/format.h>

#include <algorithm>
#include <filesystem>

#include "base/bytes.h"
#include "base/json.h"
#include "engine/manifest.h"
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
  TRY_OK(checkpoint_under_lock(false));
  TRY_OK(keyring_->destroy(erased));
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

// The position of the erase record.
Result<Position> Workspace::erase_identities(std::span<const Surrogate> identities) {
  Folds folds;
  TRY(const Position at, erase_from_state(identities, folds));
  TRY_OK(journal_->flush());
  TRY_OK(cut_for_erasure(at, folds, identities));
  return at;
}

// What a crash left half done, and, in a restored backup, persons whose keys are gone.
Status Workspace::finish_erasures() {
  const std::scoped_lock lock(checkpoint_mutex_);
  for (const Surrogate identity : state_.graph().identities()) {
    if (!keyring_->has_key(identity)) erased_.push_back(identity);
  }
  std::vector<Surrogate> erased = std::exchange(erased_, {});
  std::sort(erased.begin(), erased.end());
  erased.erase(std::unique(erased.begin(), erased.end()), erased.end());
  if (!erased.empty()) {
    TRY_OK(erase_identities(erased));
    log(LogLevel::kInfo, "erasure_finished",
        {{"identities", static_cast<std::uint64_t>(erased.size())}});
  }
  std::filesystem::remove(path(kManifestName));  // restored, and honest from here on
  return ok_status();
}

namespace {

// What became of the person, store by store, and where that ends.
constexpr struct {
  const char *store, *done, *limit;
} kStores[] = {
    {"key_file", "the keys of all identities overwritten and synced",
     "copies of the key file: replace them, a restore with an older one would know the person "
     "again"},
    {"journal", "payloads unreadable: their keys are gone",
     "received times and a random number for each record stay until retention drops its log file"},
    {"profiles", "dropped from memory, state.db and base.db", "none"},
    {"identities", "links dropped; new records of these ids begin from nothing", "none"},
    {"learner", "rows waiting for an outcome dropped, in backups sealed under the keys",
     "weights and counts learned from many people stay"},
    {"persons_alike",
     "what the person took dropped from memory, state.db and base.db, in backups sealed under the "
     "keys",
     "none"},
    {"item_counters", "nothing: they are sums over people", "the person's share of them stays"},
    {"message_ids", "nothing: they are keyed hashes", "kept until their window of 7 days ends"},
    {"backups", "unreadable: no backup holds keys", "a restore drops the person for good"},
    {"logs", "nothing: they hold no ids of persons", "none"},
    {"exports", "not known here",
     "files written by export, and what was sent on, are yours to delete"},
    {"kafka", "not used by this workspace", "none"},
};

std::string receipt_of(std::size_t identities, Time time, Position at) {
  std::string receipt;
  JsonWriter json(receipt);
  json.begin_object().field("erased_identities", static_cast<std::uint64_t>(identities));
  json.field("time", format_iso8601(time)).field("journal_position", at);
  json.field("after_a_crash", "the journal holds the erasure: the next start completes it");
  json.key("stores").begin_object();
  for (const auto& [store, done, limit] : kStores) {
    json.key(store).begin_object().field("done", done).field("limit", limit).end_object();
  }
  json.end_object().end_object();
  return receipt;
}

}  // namespace

Result<std::string> Workspace::erase(IdType type, std::string_view id) {
  const std::scoped_lock lock(checkpoint_mutex_);
  TRY(const std::vector<Surrogate> members, members_of(type, id));
  TRY(const Position at, erase_identities(members));
  return receipt_of(members.size(), now(), at);
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

}  // namespace attune
