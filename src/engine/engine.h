// Engine: one workspace. Owns the journal, the keys, the threads and the clock; connects the folds.
// Safe to share. Path of an event: ingest -> seal -> append and fold identities -> tick -> folds
// across people -> a new published version. Path of a decision: see decide().
#pragma once
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "decide/decide.h"
#include "engine/importer.h"
#include "event/event.h"
#include "journal/keyring.h"

namespace attune {

// kAsBefore: the one this workspace ran on last; wall time when it is new.
enum class Clock { kAsBefore, kWall, kEvent };

class Log;

struct EngineOptions {
  std::string workspace;           // folder; made when absent
  Clock clock = Clock::kAsBefore;  // kEvent: now = latest tick, ticks follow event time
  // Of the tz database, "Europe/Berlin": where days and hours are meant; "" = as before, UTC when
  // new.
  std::string time_zone = {};
  int tick_ms = 100;         // wall time between ticks
  double event_tick_s = 60;  // kEvent: event time between ticks
  // Partitions of the identities; state does not depend on it. Several, because a table of profiles
  // that grows moves all it holds at once.
  int shards = 16;
  bool is_ticking = true;          // false: the caller ticks and makes checkpoints (tests)
  std::uint64_t memory_bytes = 0;  // limit of the process; 0 = none; at least kLeastMemory
  double checkpoint_s = 60;        // at most so much of the journal is replayed at a start
  double retention_s = 0;          // older log files are dropped by a cut; 0 = kept
  std::uint64_t log_file_bytes = 64u << 20;  // a new log file starts beyond this
  double full_disk_share = 0.95;             // beyond it events are refused, decisions go on
  // Purposes (profile.h) refused for persons who said nothing; nullopt = as before, none when new.
  std::optional<std::uint8_t> denied_by_default = std::nullopt;
  std::string settings;  // what holds, as JSON: journalled when it changed; "" = not said
  Log* log = nullptr;    // what an operator should know; must outlive the engine; null = nothing
  // Share of the disk in use, in [0, 1]; a test puts its own here.
  std::function<double(const std::string& path)> disk_used = nullptr;
};
inline constexpr std::uint64_t kLeastMemory = 128u << 20;

struct IngestReport {
  std::size_t accepted = 0;
  std::size_t duplicates = 0;
  std::size_t dropped_by_consent = 0;
  std::size_t dropped_by_erasure = 0;  // their person was erased this moment
};

struct FoldHash {
  std::string fold;
  std::uint64_t hash = 0;
  bool operator==(const FoldHash&) const = default;
};

struct BackupReport {
  Position position = 0;  // everything up to here is inside, and perhaps some more
  std::uint64_t files = 0, bytes = 0;
};

// Placements to try on the persons one was last asked for.
struct Trial {
  std::string placement;
  std::size_t persons = 200;  // at most
  std::vector<Placement> variants;
};
// One person's slate by one of the variants; global: what someone of whom nothing is known gets.
using UseTried =
    std::function<void(std::size_t variant, const Decision& made, const Decision& global)>;

struct MemoryPart {
  std::string name;
  std::uint64_t bytes = 0;
};

// Feature rows of the decisions in the journal, recomputed.
struct RowReport {
  std::uint64_t decisions = 0;       // compared
  std::uint64_t rows = 0;            // of those, one for each shown item
  std::uint64_t differing = 0;       // rows that are not equal bit for bit
  std::uint64_t not_comparable = 0;  // decisions: what they were made of was cut off or erased
  std::uint64_t erased = 0;          // decisions whose own person was erased: unreadable
  std::string first_difference;
};

struct VerifyReport {
  bool is_equal = false;  // all folds are, and no row differs
  std::vector<FoldHash> live, rebuilt;
  RowReport rows;
};

// CPU time of the threads that did it, since the start.
struct StageTimes {
  std::uint64_t seal_ns = 0;    // identities, encoding, compression, sealing
  std::uint64_t append_ns = 0;  // message ids, consent, the record into the journal's buffer
  std::uint64_t fold_ns = 0;    // folds of identities
  std::uint64_t tick_ns = 0;    // folds across people, publication
  std::uint64_t checkpoint_ns = 0;
};

struct EngineCounts {
  std::uint64_t events = 0, duplicates = 0, decisions = 0, ticks = 0, identities = 0, erased = 0;
  std::uint64_t journal_bytes = 0, journal_records = 0, profiles = 0, updates = 0;
  std::uint64_t checkpoints = 0, dropped_by_consent = 0, unrecorded_decisions = 0;
  std::uint64_t drift_alarms = 0;  // of the live learner
  Time drift_at{};                 // when the last was raised
  StageTimes stages;
};

class Engine {
 public:
  static Result<std::unique_ptr<Engine>> open(const EngineOptions& options);
  virtual ~Engine() = default;

  // Stores and folds the events; `done` is called once when they are on disk, or have failed.
  // Events whose message id was stored within the window count as duplicates.
  virtual void ingest(std::vector<Event> events,
                      std::function<void(const Result<IngestReport>&)> done) = 0;
  // The person is named by user id, else by anonymous id.
  virtual Result<Decision> decide(const DecideRequest& request) = 0;
  virtual Result<Decision> find_decision(const std::string& id) = 0;  // reads the journal
  // What each variant would show now, without exploration; nothing is recorded. The persons' newest
  // requests are made again as far as the journal tells them; it is read backwards, at most
  // kTrialRecords of it. All slates are of one published version; use: variants in order, for one
  // person after the other. How many persons there were.
  static constexpr std::uint64_t kTrialRecords = 2'000'000;
  virtual Result<std::size_t> try_placements(const Trial& trial, const UseTried& use) = 0;
  // A file's rows. kConflict while the same file waits in the other way, staged or not.
  virtual Result<std::unique_ptr<Importer>> import_file(const ImportStart& start) = 0;
  struct ImportStatus {
    Import import;
    bool is_staged = false;
  };
  virtual Result<std::vector<ImportStatus>> imports() = 0;  // by number
  // A staged import becomes part of the journal. kNotFound: none is staged under that number.
  virtual Result<Import> commit_import(std::uint64_t number) = 0;
  // As if it had never been. Of what is in the journal: a cut, after which this engine is closed.
  // kConflict: an earlier cut holds it.
  virtual Status undo_import(std::uint64_t number) = 0;
  // Changes the catalog; on disk when it returns. One control JSON each (catalog.h).
  virtual Status control(const std::vector<std::string>& changes) = 0;
  virtual std::shared_ptr<const Catalog> catalog() const = 0;
  // A model file becomes the next version of a named model. path: its bytes are copied into the
  // workspace; or the id of a file that lies in its folder "registry" already. about: JSON object
  // text. kConflict: it is a version already.
  virtual Result<ModelVersion> register_model(const std::string& name, const std::string& path,
                                              const std::string& about) = 0;
  // From the next tick on it ranks where a placement asks for the model. kNotFound: no such
  // version, or its file is gone; kInvalid: it cannot rank, or its rows are made by another plan.
  virtual Status promote_model(const std::string& name, std::uint32_t version,
                               const std::string& reason) = 0;
  // To the version promoted before it, or to none: then the live learner ranks.
  virtual Status roll_back_model(const std::string& name, const std::string& reason) = 0;
  // Its file too, unless another model has it. kConflict: it is promoted, or what a roll back leads
  // to.
  virtual Status remove_model(const std::string& name, std::uint32_t version) = 0;
  // A version is measured beside what is promoted on every outcome from here on; with a share it
  // also ranks for that share of the persons, who stay the same while it grows, until it clearly
  // harms: looked at with each checkpoint. At most ModelRegistry::kMostShare. If it is told to, one
  // that is clearly better is promoted, and what was promoted challenges it with the same share.
  virtual Status challenge_model(const ChallengeModel& change) = 0;
  virtual Status retire_challenger(const std::string& name, const std::string& reason) = 0;
  // A version goes on learning from the stream, as it ranks, or is as it was registered again.
  // kInvalid: it cannot rank.
  virtual Status teach_model(const std::string& name, std::uint32_t version, bool is_learning,
                             const std::string& reason) = 0;
  // What a version has learned from the stream until now becomes the next version, which does not
  // change any more. kConflict: it does not learn, or nothing yet.
  virtual Result<ModelVersion> keep_model(const std::string& name, std::uint32_t version) = 0;
  // What the challenger and what is promoted came to: on the same outcomes, and, of a canary, among
  // the persons of each, since it began. JSON; reads the journal twice. kConflict: none challenges.
  virtual Result<std::string> compare_model(const std::string& name) = 0;
  // The person's events, newest first, as stored. Reads the journal backwards until it has so many,
  // all of it for a person with fewer.
  virtual Result<std::vector<Event>> events_of(IdType type, std::string_view id,
                                               std::size_t limit) = 0;
  virtual Result<Profile> profile_of(IdType type, std::string_view id) = 0;
  // Destroys the keys of all the person's identities; a receipt as JSON.
  virtual Result<std::string> erase(IdType type, std::string_view id) = 0;
  virtual Status unlink(std::string_view user_id, std::string_view anonymous_id) = 0;
  virtual Time now() const = 0;
  virtual Clock clock() const = 0;  // kWall or kEvent
  // Closes the current tick at this clock reading and runs the folds across people.
  virtual Status tick(Time clock) = 0;
  // One hash per fold over a canonical encoding; the same for any number of shards.
  virtual Result<std::vector<FoldHash>> fold_hashes() = 0;
  // Rebuilds everything from base and journal beside the live state and compares; recomputes the
  // rows of decisions on the way. Holds up decisions and events while it hashes.
  virtual Result<VerifyReport> verify(int shards) = 0;
  // Stores all folds as of now; the next start replays from here.
  virtual Status checkpoint() = 0;
  // Drops log files older than retention_s, after a cut; how many records went.
  virtual Result<std::uint64_t> retain() = 0;
  // One archive (.tar, .tar.zst) of everything but the keys, while events and decisions go on.
  virtual Result<BackupReport> backup(const std::string& path) = 0;
  // Everything stored of the person as JSON lines: profile, then events and decisions in order.
  // Reads the whole journal, opening only what is the person's.
  virtual Status export_person(IdType type, std::string_view id,
                               const std::function<void(std::string_view line)>& sink) = 0;
  // Every decision that can be read, in the order of the journal; for each shown item whether an
  // engagement named the decision; person: a number that stands for the person in this process.
  // Reads the whole journal twice.
  virtual Status logged_decisions(
      const std::function<void(const Decision&, std::uint64_t person,
                               const std::vector<bool>& is_answered)>& use) = 0;
  // Every engagement with an item (click, like, purchase ...) that can be read, in the order of the
  // journal. person: a number that stands for the person in this process. Reads the whole journal.
  virtual Status engagements(
      const std::function<void(std::uint64_t person, const Event&)>& use) = 0;
  // That number; nullopt when nothing is stored under this id.
  virtual std::optional<std::uint64_t> person_number(IdType type, std::string_view id) const = 0;
  // Whether events are accepted, or why not.
  virtual Status ready() const = 0;
  virtual std::vector<MemoryPart> memory() const = 0;
  // Another limit than the one it was opened with; 0 = none. Holds within a second while
  // it ticks, else from the next checkpoint on.
  virtual void set_memory_limit(std::uint64_t bytes) = 0;
  virtual EngineCounts counts() const = 0;
  virtual std::string learning_json()
      const = 0;  // progressive metrics, drift, and click rate per policy
  // On disk and stopped; further calls answer kUnavailable.
  virtual Status close() = 0;
};

}  // namespace attune
