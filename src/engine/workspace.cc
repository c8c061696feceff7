#include "engine/workspace.h"

#include <fmt/format.h>

#include <filesystem>
#include <random>

#include "base/bytes.h"
#include "base/json.h"
#include "base/process.h"

namespace attune {
namespace {

constexpr std::size_t kMostChanged = 250'000;  // profiles, before a checkpoint is due
constexpr Position kMostTail = 1'000'000;      // records, likewise: a start replays them
constexpr std::uint64_t kBesideParts = 48u << 20;
constexpr std::uint64_t kLeastProfiles = 8u << 20;

Time wall_clock() {
  return std::chrono::time_point_cast<Duration>(std::chrono::system_clock::now());
}

// What the process takes beside the parts that are counted: what the allocator wastes (most of it),
// threads, buffers, caches of the store. Measured, as it grows with them.
std::uint64_t beside_parts(std::uint64_t parts, std::uint64_t limit) {
  const std::uint64_t all = anonymous_bytes();
  return std::clamp(all - std::min(all, parts), kBesideParts, std::max(kBesideParts, limit / 3));
}

bool is_stored_whole(std::string_view part) {
  return part == "identity_graph" || part == "catalog" || part == "item_counters" ||
         part == "pending_decisions";
}

double share_of_disk_used(const std::string& path) {
  std::error_code error;
  const auto space = std::filesystem::space(path, error);
  if (error || space.capacity == 0) return 0;
  return 1 - static_cast<double>(space.available) / static_cast<double>(space.capacity);
}

}  // namespace

Workspace::Workspace(EngineOptions options)
    : options_(std::move(options)),
      models_(options_.workspace + "/registry"),
      memory_bytes_(options_.memory_bytes),
      stream_(
          {.folder = options_.workspace + "/stream",
           .registered = [this](const ModelVersion& version,
                                const Catalog& catalog) -> std::shared_ptr<const Model> {
             const auto plan = plan_of(catalog);
             return plan.ok() ? registered_model(version, *plan) : nullptr;
           },
           .path_of = [this](const ModelVersion& version) { return models_.path_of(version.id); },
           .flush_journal = [this] { return journal_->flush(); },
           .log = options_.log}),
      state_({.shards = options_.shards,
              .load_model = [this](const RegisteredModel& model, const ModelVersion& version,
                                   const Plan& plan) { return rank_model(model, version, plan); },
              .load_factors = [this](const ModelVersion& version) { return item_factors(version); },
              .stream = &stream_},
             [this](Surrogate identity) -> Result<std::string> {
               TRY(const std::string bytes, store_->load(identity));
               return unseal(identity, bytes).value_or("");
             }),
      seed_(std::random_device{}()) {
  seed_ = mix64(seed_, std::random_device{}());
}

std::string Workspace::path(std::string_view name) const {
  return options_.workspace + "/" + std::string(name);
}

Status Workspace::start() {
  std::error_code error;
  std::filesystem::create_directories(options_.workspace, error);
  if (error) {
    return Error{Code::kUnavailable,
                 fmt::format("workspace {}: {}", options_.workspace, error.message()), "",
                 "choose a folder you may write to"};
  }
  if (options_.memory_bytes != 0 && options_.memory_bytes < kLeastMemory) {
    return Error{Code::kInvalid,
                 fmt::format("memory is {} MB, must be at least {} MB", options_.memory_bytes >> 20,
                             kLeastMemory >> 20),
                 "memory", "give more, or 0 for no limit"};
  }
  const bool is_new = !std::filesystem::exists(path("journal"));
  TRY(journal_,
      open_file_journal(
          {.directory = path("journal"),
           .file_bytes = options_.log_file_bytes,
           .before_commit = [this]() -> Status {
             return keyring_ ? keyring_->sync() : ok_status();
           },
           .on_torn_tail =
               [this](const std::string& file, std::uint64_t bytes) {
                 log(LogLevel::kWarn, "torn_tail_cut", {{"file", file}, {"bytes", bytes}});
               }}));
  TRY(keyring_, open_keyring(path("keys"), is_new));
  TRY_OK(renew_lost_state());
  TRY(store_, open_sqlite_store(path("state.db")));
  TRY(ids_, IdWindow::open({.directory = path("ids")}));
  stream_.set_patient(true);
  TRY_OK(restore());
  stream_.set_patient(false);
  {
    const std::scoped_lock lock(mutex_);
    TRY_OK(open_record());
  }
  TRY_OK(declare_plan());
  watch_disk();
  if (!options_.is_ticking) return ok_status();
  ticker_ = std::jthread([this](const std::stop_token& stop) { run_ticks(stop); });
  checkpointer_ = std::jthread([this](const std::stop_token& stop) { run_checkpoints(stop); });
  return ok_status();
}

// A workspace without items goes by a plan in its journal from here on; one that has made rows by
// the plan of before plans were stored goes on with it.
Status Workspace::declare_plan() {
  const auto catalog = state_.catalog();
  if (!catalog->plan().empty() || catalog->items().size() > 0) return ok_status();
  return control({put_plan_json(new_plan())});
}

// Whether state.db is older than the base, which an undo of an import left when it was cut short,
// or of a program that knew fewer folds.
Result<bool> Workspace::is_state_outdated() const {
  TRY(const auto state, open_sqlite_store(path("state.db")));
  TRY(const std::string fold, state->load_fold("persons_alike"));
  if (state->position() > 0 && fold.empty()) return true;
  if (!std::filesystem::exists(path("base.db"))) return false;
  TRY(const auto base, open_sqlite_store(path("base.db")));
  return state->position() < base->position();
}

// Without state.db, or with an outdated one, a start begins at the base, as a rebuild does.
Status Workspace::renew_lost_state() {
  namespace fs = std::filesystem;
  if (fs::exists(path("state.db"))) {
    TRY(const bool is_outdated, is_state_outdated());
    for (const char* end : {"", "-wal", "-shm"}) {
      if (is_outdated) fs::remove(path("state.db") + end);
    }
  }
  if (fs::exists(path("state.db")) || !fs::exists(path("base.db"))) return ok_status();
  std::error_code error;
  const std::string fresh = path("state.db.new");
  fs::remove(fresh, error);
  {
    TRY(const auto base, open_sqlite_store(path("base.db")));
    TRY_OK(base->copy_to(fresh));
  }
  fs::rename(fresh, path("state.db"), error);
  if (!error) return ok_status();
  return Error{Code::kUnavailable,
               fmt::format("cannot make {}: {}", path("state.db"), error.message()), "",
               "check free space and permissions"};
}

// Ids of a checkpoint whose window of ids could not be written are in the journal still.
Status Workspace::restore_ids() {
  if (ids_->through() >= checkpoint_at_) return ok_status();
  TRY(const auto cursor, journal_->read(std::max(journal_->first(), ids_->through() + 1)));
  while (true) {
    TRY(const auto stored, cursor->next());
    if (!stored || stored->position > checkpoint_at_) return ok_status();
    const Record& record = stored->record;
    if (record.kind == Kind::kEvent && record.id_hash != 0) {
      ids_->insert(record.id_hash, record.received);
    }
  }
}

// State = what the last checkpoint stored, and the journal after it.
Status Workspace::restore() {
  checkpoint_at_ = store_->position();
  if (checkpoint_at_ > journal_->end()) {
    return Error{Code::kCorrupt,
                 fmt::format("{} is as of record {}, but the journal ends at {}: log files are "
                             "missing",
                             path("state.db"), checkpoint_at_, journal_->end()),
                 "", "restore the workspace from a backup"};
  }
  if (journal_->end() != 0 && checkpoint_at_ + 1 < journal_->first()) {
    return Error{Code::kCorrupt,
                 fmt::format("{} is as of record {}, but the journal begins at {}: log files are "
                             "missing",
                             path("state.db"), checkpoint_at_, journal_->first()),
                 "", "restore the workspace from a backup"};
  }
  TRY_OK(load_base(*store_, state_));
  TRY_OK(restore_ids());
  ReplayHooks hooks;
  hooks.id = [this](std::uint64_t id, Time received) {
    ids_->insert(id, received);
    last_received_ = std::max(last_received_, received);
  };
  hooks.erased = [this](std::span<const Surrogate> erased) {
    erased_.insert(erased_.end(), erased.begin(), erased.end());
  };
  TRY(const Position last,
      replay(*journal_, *keyring_, {checkpoint_at_ + 1, journal_->end()}, state_, hooks));
  log(LogLevel::kInfo, "journal_replayed",
      {{"from", checkpoint_at_ + 1}, {"records", last - checkpoint_at_}});
  TRY(const Setup setup, setup_of(options_, state_.folds().setup));
  is_event_clock_ = setup.clock == Clock::kEvent;
  latest_event_ = state_.clock();
  last_received_ = std::max(last_received_, state_.clock());
  keep_memory_locked();
  TRY_OK(find_erased_since_backup());
  return finish_erasures();
}

// Under the lock. Everything is published anew, here and where a replay meets the record: what
// decisions read after it depends on the state alone.
Status Workspace::open_record() {
  const Setup& before = state_.folds().setup;
  TRY(const Setup setup, setup_of(options_, before));
  const bool is_changed = setup.settings_hash != before.settings_hash;
  const Record record{.kind = Kind::kOpen,
                      .received = now_locked(),
                      .payload = encode_setup(setup, is_changed ? options_.settings : "")};
  TRY_OK(journal_->append({&record, 1}));
  if (is_changed) log(LogLevel::kInfo, "settings_changed", {{"hash", setup.settings_hash}});
  state_.open(setup);
  return ok_status();
}

Time Workspace::now() const {
  if (!is_event_clock_) return wall_clock();
  const std::scoped_lock lock(mutex_);
  return state_.clock();
}

Time Workspace::now_locked() const { return is_event_clock_ ? state_.clock() : wall_clock(); }

void Workspace::run_ticks(const std::stop_token& stop) {
  name_thread("tick");
  std::unique_lock lock(waiting_mutex_);
  bool has_failed = false;
  for (std::uint64_t round = 0; !stop.stop_requested(); ++round) {
    waiting_.wait_for(lock, stop, std::chrono::milliseconds(options_.tick_ms),
                      [] { return false; });
    if (stop.stop_requested()) return;
    if (round % 10 == 0) watch_disk();
    const std::scoped_lock state_lock(mutex_);
    const Status ticked = tick_locked(is_event_clock_ ? latest_event_ : wall_clock());
    note_failure("journal_failed", ticked, has_failed);
    if (!ticked.ok()) failure_ = ticked.error();
    if (round % 10 == 0) keep_memory_locked();
  }
}

void Workspace::run_checkpoints(const std::stop_token& stop) {
  name_thread("checkpoint");
  auto last = std::chrono::steady_clock::now();
  bool has_failed = false, cannot_drop = false;
  std::unique_lock lock(waiting_mutex_);
  while (!stop.stop_requested()) {
    waiting_.wait_for(lock, stop, std::chrono::milliseconds(200),
                      [this] { return is_checkpoint_due_.load(); });
    const std::chrono::duration<double> since = std::chrono::steady_clock::now() - last;
    if (stop.stop_requested()) return;
    if (!is_checkpoint_due_ && since.count() < options_.checkpoint_s) continue;
    lock.unlock();
    const Status stored = checkpoint();
    note_failure("checkpoint_failed", stored, has_failed);
    const auto dropped = retain();
    note_failure("retention_failed", dropped.ok() ? ok_status() : Status(dropped.error()),
                 cannot_drop);
    if (dropped.ok() && *dropped > 0) {
      log(LogLevel::kInfo, "retention_dropped", {{"records", *dropped}});
    }
    last = std::chrono::steady_clock::now();
    lock.lock();
    // Not at once again: what hinders it may take a while to mend.
    if (!stored.ok()) waiting_.wait_for(lock, stop, std::chrono::seconds(1), [] { return false; });
  }
}

Status Workspace::tick(Time clock) {
  const std::scoped_lock lock(mutex_);
  return tick_locked(clock);
}

Status Workspace::tick_locked(Time clock) {
  if (is_closed_) return Error{Code::kUnavailable, "the workspace is closed"};
  clock = std::max(clock, state_.clock());
  Record record{.kind = Kind::kTick, .received = clock, .payload = {}};
  const std::uint64_t number = state_.tick_number() + 1;
  Writer(record.payload).u64(number);
  TRY(const Position at, journal_->append({&record, 1}));
  const std::uint64_t begin_ns = thread_cpu_ns(), alarms = state_.learner().drift().alarms();
  state_.tick(number, clock);
  if (state_.learner().drift().alarms() > alarms) say_drift();
  stop_faulty_models();
  counts_.stages.tick_ns += thread_cpu_ns() - begin_ns;
  const bool is_long = at - checkpoint_at_ > kMostTail || state_.changed_profiles() > kMostChanged;
  if (is_long && !is_checkpoint_due_.exchange(true)) waiting_.notify_all();
  return ok_status();
}

void Workspace::say_drift() const {
  const DriftAlarm& alarm = *state_.learner().drift().last();
  log(LogLevel::kWarn, "drift",
      {{"what", drift_name(alarm.what)},
       {"before", alarm.before},
       {"after", alarm.after},
       {"outcomes", alarm.rows},
       {"message", drift_words(alarm)}});
}

void Workspace::follow_event_time(Time latest) {
  latest_event_ = std::max(latest_event_, latest);
  if (!is_event_clock_) return;
  if (latest_event_ - state_.clock() >= seconds(options_.event_tick_s)) {
    (void)tick_locked(latest_event_);
  }
}

void Workspace::watch_disk() {
  const double used = options_.disk_used ? options_.disk_used(options_.workspace)
                                         : share_of_disk_used(options_.workspace);
  const bool is_full = used >= options_.full_disk_share;
  if (is_disk_full_.exchange(is_full) == is_full) return;
  log(is_full ? LogLevel::kError : LogLevel::kInfo, is_full ? "disk_full" : "disk_has_room",
      {{"used_share", used}, {"limit", options_.full_disk_share}});
}

// Near the limit it comes and goes with every checkpoint: said once a minute at most.
void Workspace::set_over_limit(bool is_over) {
  if (std::exchange(is_over_limit_, is_over) == is_over) return;
  const auto now = std::chrono::steady_clock::now();
  if (is_over && now < over_limit_silent_until_) return;
  if (!is_over && !std::exchange(is_over_limit_said_, false)) return;
  if (is_over) {
    is_over_limit_said_ = true;
    over_limit_silent_until_ = now + std::chrono::minutes(1);
  }
  log(is_over ? LogLevel::kWarn : LogLevel::kInfo,
      is_over ? "memory_over_limit" : "memory_under_limit",
      {{"limit_bytes", memory_bytes_.load()},
       {"changed_profiles", static_cast<std::uint64_t>(state_.changed_profiles())}});
}

// Says a failure once, and once that it is over.
void Workspace::note_failure(std::string_view event, const Status& status, bool& has_failed) const {
  if (!status.ok() && !has_failed) {
    log(LogLevel::kError, event,
        {{"message", status.error().message}, {"hint", status.error().hint}});
  } else if (status.ok() && has_failed) {
    log(LogLevel::kInfo, "recovered", {{"after", event}});
  }
  has_failed = !status.ok();
}

// Profiles may take what the other parts leave of the limit.
void Workspace::keep_memory_locked() {
  const std::uint64_t limit = memory_bytes_;
  if (limit == 0) {
    state_.set_profile_limit(0);  // none
    set_over_limit(false);
    room_.notify_all();
    return;
  }
  std::uint64_t others = 0, largest_fold = 0, parts = 0;
  for (const MemoryPart& part : memory_locked()) {
    parts += part.bytes;
    if (part.name == "profiles") continue;
    others += part.bytes;
    if (is_stored_whole(part.name)) largest_fold = std::max(largest_fold, part.bytes);
  }
  others += beside_parts(parts, limit);
  others += 2 * largest_fold;  // a checkpoint encodes one at a time, and the store copies that
  const std::uint64_t left = limit > others ? limit - others : 0;
  state_.set_profile_limit(std::max(left, kLeastProfiles));
  set_over_limit(!state_.trim());
  if (!is_over_limit_) {
    room_.notify_all();
  } else if (!is_checkpoint_due_.exchange(true)) {
    waiting_.notify_all();
  }
}

Status Workspace::ready() const {
  const std::scoped_lock lock(mutex_);
  if (is_closed_) return Error{Code::kUnavailable, "the workspace is closed"};
  if (failure_) return *failure_;
  if (!is_disk_full_) return ok_status();
  return Error{Code::kUnavailable,
               fmt::format("the disk of {} is more than {:.0f} % full: events are refused, "
                           "decisions go on",
                           options_.workspace, options_.full_disk_share * 100),
               "", "free some space, or move the workspace to a larger disk"};
}

Status Workspace::close() {
  for (std::jthread* thread : {&ticker_, &checkpointer_}) {
    thread->request_stop();
    if (thread->joinable()) thread->join();
  }
  if (!journal_ || !store_ || !ids_) return ok_status();
  const bool was_running = options_.is_ticking;
  {
    const std::scoped_lock lock(mutex_);
    if (is_closed_) return ok_status();
  }
  // So that the next start replays nothing. A failure is no loss: the journal has it all.
  if (was_running) (void)checkpoint();
  const std::scoped_lock lock(mutex_);
  is_closed_ = true;
  room_.notify_all();
  return journal_->flush();
}

Result<std::unique_ptr<Engine>> Engine::open(const EngineOptions& options) {
  auto engine = std::make_unique<Workspace>(options);
  TRY_OK(engine->start());
  return std::unique_ptr<Engine>(std::move(engine));
}

}  // namespace attune
