// Workspace: the Engine on files. Its methods stand in one file per theme: workspace.cc (start,
// ticks, stop), ingest.cc, import.cc, staged_import.cc, undo.cc, choose.cc (decisions),
// registry.cc, challenge.cc, person.cc, logged.cc, checkpoint.cc, cut.cc, backup.cc, restore.cc,
// verify.cc, inspect.cc. Locks, in this order: checkpoint_mutex_ (one checkpoint, cut or backup at
// a time), person_mutex_ (one decision of a person at a time), mutex_ (orders appends together with
// the folds they cause).
#pragma once
#include <array>
#include <atomic>
#include <condition_variable>
#include <mutex>
#include <thread>

#include "base/log.h"
#include "engine/canary_counts.h"
#include "engine/engine.h"
#include "engine/import_block.h"
#include "engine/replay.h"
#include "engine/restore.h"
#include "engine/served_models.h"
#include "engine/state.h"
#include "engine/stream_models.h"
#include "journal/id_window.h"
#include "journal/journal.h"

namespace attune {

class Workspace final : public Engine {
 public:
  explicit Workspace(EngineOptions options);
  ~Workspace() override { (void)close(); }
  Status start();

  void ingest(std::vector<Event> events,
              std::function<void(const Result<IngestReport>&)> done) override;
  Result<Decision> decide(const DecideRequest& request) override;
  Result<Decision> find_decision(const std::string& id) override;
  Result<std::size_t> try_placements(const Trial& trial, const UseTried& use) override;
  Status control(const std::vector<std::string>& changes) override;
  std::shared_ptr<const Catalog> catalog() const override;
  Result<std::unique_ptr<Importer>> import_file(const ImportStart& start) override;
  Result<std::vector<ImportStatus>> imports() override;
  Result<Import> commit_import(std::uint64_t number) override;
  Status undo_import(std::uint64_t number) override;
  Result<ModelVersion> register_model(const std::string& name, const std::string& path,
                                      const std::string& about) override;
  Status promote_model(const std::string& name, std::uint32_t version,
                       const std::string& reason) override;
  Status roll_back_model(const std::string& name, const std::string& reason) override;
  Status remove_model(const std::string& name, std::uint32_t version) override;
  Status challenge_model(const ChallengeModel& change) override;
  Status retire_challenger(const std::string& name, const std::string& reason) override;
  Status teach_model(const std::string& name, std::uint32_t version, bool is_learning,
                     const std::string& reason) override;
  Result<ModelVersion> keep_model(const std::string& name, std::uint32_t version) override;
  Result<std::string> compare_model(const std::string& name) override;
  Result<std::vector<Event>> events_of(IdType type, std::string_view id,
                                       std::size_t limit) override;
  Result<Profile> profile_of(IdType type, std::string_view id) override;
  Result<std::string> erase(IdType type, std::string_view id) override;
  Status unlink(std::string_view user_id, std::string_view anonymous_id) override;
  Status export_person(IdType type, std::string_view id,
                       const std::function<void(std::string_view line)>& sink) override;
  Status logged_decisions(const std::function<void(const Decision&, std::uint64_t,
                                                   const std::vector<bool>&)>& use) override;
  Status engagements(const std::function<void(std::uint64_t, const Event&)>& use) override;
  std::optional<std::uint64_t> person_number(IdType type, std::string_view id) const override;
  Time now() const override;
  Clock clock() const override { return is_event_clock_ ? Clock::kEvent : Clock::kWall; }
  Status tick(Time clock) override;
  Result<std::vector<FoldHash>> fold_hashes() override;
  Result<VerifyReport> verify(int shards) override;
  Status checkpoint() override;
  Result<std::uint64_t> retain() override;
  Result<BackupReport> backup(const std::string& path) override;
  void set_memory_limit(std::uint64_t bytes) override { memory_bytes_ = bytes; }
  Status ready() const override;
  EngineCounts counts() const override;
  std::vector<MemoryPart> memory() const override;
  std::string learning_json() const override;
  Status close() override;
  // What a restored backup held; after start().
  const RestoreReport& restored() const { return restored_; }

 private:
  struct Prepared {  // an event sealed and ready to append
    Event event;
    Surrogate identity{};
    Surrogate other{};
    Record record;
  };
  struct Batch {
    std::vector<Prepared> events;
    std::vector<Record> created;       // identity records, before the events
    std::vector<Surrogate> newcomers;  // their surrogates
    std::uint64_t seal_ns = 0;
    std::uint64_t erasures = 0;  // erasures_ when it was begun
  };
  struct Basis {  // what a decision is made of
    Profile person;
    std::vector<Surrogate> members;
    std::shared_ptr<const Published> published;
    Time time{};
    std::shared_ptr<const TimeZone> zone;
  };

  std::string path(std::string_view name) const;
  Time received_now() const { return now(); }
  void log(LogLevel level, std::string_view event,
           std::initializer_list<LogField> fields = {}) const {
    if (options_.log) options_.log->write(level, event, fields);
  }
  Time now_locked() const;
  // workspace.cc
  Status declare_plan();
  Result<bool> is_state_outdated() const;
  Status renew_lost_state();
  Status restore();
  Status restore_ids();
  Status find_erased_since_backup();
  Status finish_erasures();
  Status open_record();
  void run_ticks(const std::stop_token& stop);
  void run_checkpoints(const std::stop_token& stop);
  Status tick_locked(Time clock);
  void say_drift() const;
  void follow_event_time(Time latest);
  void watch_disk();
  void keep_memory_locked();
  void set_over_limit(bool is_over);
  void note_failure(std::string_view event, const Status& status, bool& has_failed) const;
  // ingest.cc
  Batch new_batch() const {
    Batch batch;
    batch.erasures = erasures_;
    return batch;
  }
  bool is_gone(Surrogate identity, const Batch& batch) const;
  Result<Surrogate> identity(IdType type, const std::string& id, Time received, Batch& batch);
  Result<Surrogate> previous(const std::string& id, Time received, Batch& batch);
  Status prepare(Event event, Time received, Batch& batch);
  Status append_all(Batch& batch, IngestReport& report);
  Status append_created(Batch& batch);
  Result<Position> append_event(const Prepared& prepared);
  Status append_link(const Prepared& prepared);
  bool refuse_storage(Prepared& prepared);
  Status wait_for_room();
  // choose.cc
  std::optional<Surrogate> find_person(const std::string& id) const;
  Result<Basis> basis_of(Surrogate person);
  Result<bool> is_current(const Basis& basis, Surrogate person);
  Result<Decision> choose(const DecideRequest& request, const Basis& basis);
  Result<Decision> decide_and_record(const DecideRequest& request, Surrogate person,
                                     Batch& created);
  Result<Record> seal_decision(const Decision& decision, Surrogate person) const;
  Status record(Decision& decision, Surrogate person, Result<Record> sealed, Batch& created);
  // trial.cc
  struct PastRequest {
    Surrogate person{};
    DecideRequest request;
  };
  Status requests_between(const std::string& placement, Position from, Position to,
                          std::vector<PastRequest>& out);
  Result<std::vector<PastRequest>> last_requests(const Trial& trial);
  // person.cc
  Status append_control(const std::vector<std::string>& changes);
  Result<Surrogate> require(IdType type, std::string_view id) const;
  Status events_between(std::span<const Surrogate> members, Position from, Position to,
                        std::vector<Event>& out);
  Result<std::vector<Surrogate>> members_of(IdType type, std::string_view id);
  bool is_undone(Position at) const;
  // registry.cc
  std::shared_ptr<const ItemFactors> item_factors(const ModelVersion& version);
  std::shared_ptr<const Model> registered_model(const ModelVersion& version, const Plan& plan);
  RankModel rank_model(const RegisteredModel& model, const ModelVersion& version, const Plan& plan);
  Status check_can_rank(const ModelVersion& version);
  Status require_ranking(const Catalog& catalog, const std::string& name, std::uint32_t version);
  Status require_one_outcome(const Catalog& catalog, const std::string& name,
                             std::uint32_t version);
  void stop_faulty_models();
  // logged.cc
  Status each_readable(std::initializer_list<Kind> kinds,
                       const std::function<Status(const Record&, const std::string& payload)>& use);
  Status each_readable(JournalCursor& cursor, Position& last, std::initializer_list<Kind> kinds,
                       const std::function<Status(const Record&, const std::string& payload)>& use);
  Status logged_from(Time since, Position& until,
                     const std::function<void(const Decision&, std::uint64_t person)>& decision,
                     const std::function<void(const Event&)>& engagement);
  std::uint64_t number_of(Surrogate any) const;
  // challenge.cc
  struct CanaryWatch {
    Challenger challenger;
    Position until = 0;  // of the journal, counted
    CanaryCounts counts;
  };
  Status count_for_canary(const std::string& name, const Challenger& challenger);
  void look_at_canaries();
  void end_canary(const std::string& name, const std::string& why);
  void promote_canary(const std::string& name, const std::string& why);
  void decide_canary(const std::string& name, std::string_view what,
                     const std::function<std::vector<std::string>(const RegisteredModel&)>& changes,
                     const std::string& why);
  // import.cc, staged_import.cc, undo.cc
  friend class WorkspaceImporter;
  struct FoundImport {
    Import import;
    enum Where { kNew, kInJournal, kStaged } where = kNew;
  };
  Result<FoundImport> find_import(const ImportStart& start);
  std::vector<Record> records_of(SealedBlock& block, Import& import);
  Result<bool> take_staged(Record& record, SealedBlock& block) const;
  Status append_import(SealedBlock block, Import& import);
  Status append_import_record(const std::string& json);
  Status begin_import(Import& import);
  Status finish_import(Import& import);
  void drop_refused(SealedBlock& block, Import& import);
  Status apply_import(const std::vector<Record>& records, Position last, const SealedBlock& block);
  std::string staged_path(std::uint64_t number) const;
  Result<std::vector<Import>> staged_imports() const;
  Result<std::unique_ptr<Journal>> open_staged(std::uint64_t number) const;
  Result<Import> begin_commit(const Import& staged);
  Status commit_blocks(std::uint64_t number, Import& import);
  Status drop_staged(std::uint64_t number);
  Status store_rebuilt(State& rebuilt, ProfileStore& store, Position at);
  Status write_base_without(const Import& import, Position at);
  // checkpoint.cc, cut.cc
  Result<Position> checkpoint_under_lock(bool is_cut);
  Status store_checkpoint(Position at, const Folds& folds);
  Status store_profiles();
  Status renew_base_across(Position at, const Folds& folds);
  Status cut_for_erasure(Position at, const Folds& folds, std::span<const Surrogate> erased);
  Result<Position> erase_from_state(std::span<const Surrogate> identities, Folds& folds);
  Result<Position> erase_identities(std::span<const Surrogate> identities);
  Status load_base(ProfileStore& base, State& state);
  std::vector<MemoryPart> memory_locked() const;
  std::string seal(Surrogate identity, std::string_view bytes) const;
  std::optional<std::string> unseal(Surrogate identity, std::string_view bytes) const;

  const EngineOptions options_;
  ServedModels models_;
  std::atomic<std::uint64_t> memory_bytes_;
  std::unique_ptr<Keyring> keyring_;
  std::unique_ptr<Journal> journal_;
  std::unique_ptr<ProfileStore> store_;
  std::mutex checkpoint_mutex_;
  std::map<std::string, CanaryWatch> canaries_;  // by model; under checkpoint_mutex_
  mutable std::mutex mutex_;
  StreamModels stream_;
  State state_;
  std::unique_ptr<IdWindow> ids_;
  EngineCounts counts_;
  Time latest_event_{};
  Time last_received_{};
  Position checkpoint_at_ = 0;
  std::uint64_t stored_updates_ = 0;  // of the learner, in the newest model file
  bool is_closed_ = false;
  bool is_event_clock_ = false;  // set once, at the start
  bool is_over_limit_ = false;   // profiles changed take more than the memory limit leaves
  bool is_over_limit_said_ = false;
  std::chrono::steady_clock::time_point over_limit_silent_until_{};
  std::condition_variable room_;  // is_over_limit_ ended
  std::atomic<bool> is_disk_full_{false};
  RestoreReport restored_;
  std::optional<Error> failure_;    // of the last tick: the journal takes nothing more
  std::vector<Surrogate> erasing_;  // erased from the state; their keys are still there
  std::atomic<std::uint64_t> erasures_{0};
  std::vector<Surrogate> erased_;  // by the replayed tail: their keys may still be there
  std::atomic<std::uint64_t> decisions_{0};
  std::uint64_t seed_;
  std::array<std::mutex, 1024> person_mutex_;
  std::mutex waiting_mutex_;
  std::condition_variable_any waiting_;
  std::atomic<bool> is_checkpoint_due_{false};
  std::jthread ticker_, checkpointer_;
};

}  // namespace attune
