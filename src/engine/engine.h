// Engine: one workspace. Owns the journal, the keys, the threads and the clock; connects the folds.
// Safe to share. Path of an event: ingest -> seal -> append and fold identities -> tick -> folds
// across people -> a new published version. Path of a decision: see decide().
#pragma once
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "decide/decide.h"
#include "event/event.h"
#include "journal/keyring.h"

namespace attune {

enum class Clock { kWall, kEvent };

struct EngineOptions {
  std::string workspace;       // folder; made when absent
  Clock clock = Clock::kWall;  // kEvent: now = latest tick, ticks follow event time
  int tick_ms = 100;           // wall time between ticks
  double event_tick_s = 60;    // kEvent: event time between ticks
  int shards = 1;              // partitions of the identities; state does not depend on it
  bool is_ticking = true;      // false: the caller ticks (tests, replay)
};

struct IngestReport {
  std::size_t accepted = 0;
  std::size_t duplicates = 0;
  std::size_t dropped_by_consent = 0;
};

struct FoldHash {
  std::string fold;
  std::uint64_t hash = 0;
  bool operator==(const FoldHash&) const = default;
};

struct EngineCounts {
  std::uint64_t events = 0, duplicates = 0, decisions = 0, ticks = 0, identities = 0, erased = 0;
  std::uint64_t journal_bytes = 0, journal_records = 0, profiles = 0, updates = 0;
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
  // Changes the catalog; on disk when it returns. One control JSON each (catalog.h).
  virtual Status control(const std::vector<std::string>& changes) = 0;
  virtual std::shared_ptr<const Catalog> catalog() const = 0;
  // The person's events, newest first, as stored.
  virtual Result<std::vector<Event>> events_of(IdType type, std::string_view id,
                                               std::size_t limit) = 0;
  virtual Result<Profile> profile_of(IdType type, std::string_view id) = 0;
  // Destroys the keys of all the person's identities; a receipt as JSON.
  virtual Result<std::string> erase(IdType type, std::string_view id) = 0;
  virtual Status unlink(std::string_view user_id, std::string_view anonymous_id) = 0;
  virtual Time now() const = 0;
  // Closes the current tick at this clock reading and runs the folds across people.
  virtual Status tick(Time clock) = 0;
  // One hash per fold over a canonical encoding; the same for any number of shards.
  virtual std::vector<FoldHash> fold_hashes() = 0;
  virtual EngineCounts counts() const = 0;
  virtual std::string learning_json() const = 0;  // progressive metrics and click rate per policy
  // On disk and stopped; further calls answer kUnavailable.
  virtual Status close() = 0;
};

}  // namespace attune
