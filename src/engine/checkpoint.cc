// A checkpoint: all folds as of one tick into state.db, while events and decisions go on.
#include "base/process.h"
#include "engine/model_files.h"
#include "engine/workspace.h"

namespace attune {
namespace {

constexpr std::size_t kProfilesATime = 1024;  // taken under one hold of the lock

}  // namespace

std::string Workspace::seal(Surrogate identity, std::string_view bytes) const {
  Record record{
      .kind = Kind::kStored, .received = {}, .surrogate = identity, .payload = std::string(bytes)};
  if (!keyring_->seal(record).ok()) return {};  // the key is gone: so is the profile
  return std::move(record.payload);
}

std::optional<std::string> Workspace::unseal(Surrogate identity, std::string_view bytes) const {
  if (bytes.empty()) return std::nullopt;
  const Record record{
      .kind = Kind::kStored, .received = {}, .surrogate = identity, .payload = std::string(bytes)};
  auto plain = keyring_->open(record);
  if (!plain.ok()) return std::nullopt;
  return std::move(plain).value();
}

Status Workspace::checkpoint() {
  const std::scoped_lock lock(checkpoint_mutex_);
  const std::uint64_t begin_ns = thread_cpu_ns();
  look_at_canaries();
  TRY_OK(checkpoint_under_lock(false));
  const std::scoped_lock state_lock(mutex_);
  counts_.stages.checkpoint_ns += thread_cpu_ns() - begin_ns;
  return ok_status();
}

// The position it is as of. is_cut: what comes after it does not depend on what was published
// before.
Result<Position> Workspace::checkpoint_under_lock(bool is_cut) {
  std::unique_lock lock(mutex_);
  is_checkpoint_due_ = false;
  if (journal_->end() == checkpoint_at_ && state_.changed_profiles() == 0) {
    const Position at = checkpoint_at_;
    if (is_cut) TRY_OK(open_record());
    return at;
  }
  TRY_OK(tick_locked(now_locked()));  // afterwards nothing waits for a tick
  is_checkpoint_due_ = false;
  const Position at = journal_->end();
  std::optional<Folds> folds = state_.folds();
  state_.begin_checkpoint();
  auto ids = ids_->begin_checkpoint(at);
  Status opened = is_cut ? open_record() : ok_status();
  lock.unlock();
  // What a start replays must hold all that models of the stream have not learned yet.
  if (const Status stored = stream_.store(); !stored.ok()) {
    log(LogLevel::kWarn, "stream_models_not_stored", {{"message", stored.error().message}});
  }
  Status status =
      opened.ok() ? journal_->flush() : opened;  // the store must not be ahead of the journal
  if (status.ok()) status = store_checkpoint(at, *folds);
  folds.reset();  // not under the lock: it may be the last to hold many chunks
  Status ids_status = status;
  if (status.ok() && ids) ids_status = ids->write();
  lock.lock();
  if (ids) ids_->end_checkpoint(std::move(*ids));
  state_.end_checkpoint(status.ok());
  if (status.ok()) {
    checkpoint_at_ = at;
    ++counts_.checkpoints;
  }
  keep_memory_locked();
  TRY_OK(status);
  TRY_OK(ids_status);
  return at;
}

// Some at a time, so that events go on in between.
Status Workspace::store_profiles() {
  std::vector<std::pair<Surrogate, std::string>> taken;
  while (true) {
    {
      const std::scoped_lock lock(mutex_);
      if (!state_.take(kProfilesATime, taken)) return ok_status();
    }
    for (const auto& [identity, bytes] : taken) {
      TRY_OK(store_->put(identity, bytes.empty() ? "" : seal(identity, bytes)));
    }
  }
}

Status Workspace::store_checkpoint(Position at, const Folds& folds) {
  TRY_OK(store_->begin());
  const auto put_all = [&]() -> Status {
    state_.sort_checkpoint();
    TRY_OK(store_profiles());
    const auto seal_row = [this](Surrogate who, std::string_view row) { return seal(who, row); };
    TRY_OK(store_folds(folds, FoldPart::kAll, seal_row,
                       [this](std::string_view name, std::string_view bytes) {
                         return store_->put_fold(name, bytes);
                       }));
    return store_->finish(at);
  };
  if (Status status = put_all(); !status.ok()) {
    store_->abandon();
    return status;
  }
  if (folds.learner.updates() == stored_updates_) return ok_status();
  std::string model;
  folds.learner.model().encode(model);
  TRY_OK(store_model(path("models"), folds.tick, model));
  stored_updates_ = folds.learner.updates();
  return ok_status();
}

}  // namespace attune
