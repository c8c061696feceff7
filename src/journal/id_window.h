// IdWindow: the message ids stored lately, as keyed hashes, so that an event sent twice counts once
// across restarts. An id is remembered for `window` of received time, and somewhat longer (whole
// runs expire), unless more than `max_ids` came after it. New ids are in memory until a checkpoint
// writes them as a run. One thread, but for IdCheckpoint::write().
#pragma once
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/id_set.h"
#include "base/result.h"
#include "base/time.h"
#include "journal/id_run.h"

namespace attune {

struct IdWindowOptions {
  std::string directory;
  Duration window = std::chrono::hours(24 * 7);
  std::uint64_t max_ids = 50'000'000;
};

using IdRuns = std::vector<std::shared_ptr<const IdRun>>;
IdFilter filter_of(const IdRuns& runs);

// What a checkpoint writes. The window goes on meanwhile.
class IdCheckpoint {
 public:
  // Slow: sorts, writes, merges, syncs. On any thread; once.
  Status write();

 private:
  friend class IdWindow;
  Status merge_runs();
  void drop_old_runs();

  IdWindowOptions options_;
  std::shared_ptr<const IdSet> ids_;
  IdRunHeader header_;
  IdRuns runs_;  // before; after write() with the new one
  IdFilter filter_;
  std::vector<std::string> obsolete_;
  bool is_written_ = false;
};

class IdWindow {
 public:
  // A damaged or newer run file is refused, by name. Makes the directory when absent.
  static Result<std::unique_ptr<IdWindow>> open(const IdWindowOptions& options);

  // Fetches the memory contains() and insert() will look at: ahead, for every id of a batch.
  void prefetch(std::uint64_t id) const;
  bool contains(std::uint64_t id) const;
  void insert(std::uint64_t id, Time received);  // again is harmless

  // Writes what was inserted since the last one. Call it only when the records of those ids, all
  // records up to position `through`, are durable: an id on disk without its record would turn the
  // client's next try away. kUnavailable: all stays in memory, the next checkpoint tries again.
  Status checkpoint(Position through);
  // The same in three steps; only IdCheckpoint::write() takes long. nullopt: nothing to write.
  std::optional<IdCheckpoint> begin_checkpoint(Position through);
  void end_checkpoint(IdCheckpoint checkpoint);
  // Ids of records after this position must be inserted again after a restart; 0: of all records of
  // the window.
  Position through() const { return runs_.empty() ? 0 : runs_.back()->header().through; }

  std::uint64_t size() const;
  std::size_t run_count() const { return runs_.size(); }
  // Anonymous memory: young ids and the filter; the ids of runs are file pages.
  std::size_t memory_bytes() const;

 private:
  explicit IdWindow(IdWindowOptions options) : options_(std::move(options)) {}
  Status load();

  IdWindowOptions options_;
  IdSet young_;
  IdRunHeader young_header_;
  std::shared_ptr<const IdSet> frozen_;  // being written
  IdRunHeader frozen_header_;
  IdRuns runs_;      // by sequence, no gaps
  IdFilter filter_;  // of runs_
  std::uint64_t next_sequence_ = 1;
  Time latest_ = Time::min();  // received
};

}  // namespace attune
