// Journal: the durable log. append() orders records and returns at once; a writer thread commits
// them in groups (one write and one fdatasync a group). Safe to share.
#pragma once
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>

#include "base/result.h"
#include "journal/record.h"

namespace attune {

struct StoredRecord {
  Position position = 0;
  Record record;
};

// Reads forward, verifying checksums. next(): nullopt at the end of what was durable when opened;
// kCorrupt names the log file and what to do.
class JournalCursor {
 public:
  virtual ~JournalCursor() = default;
  virtual Result<std::optional<StoredRecord>> next() = 0;
};

// What can be read of a journal. Safe to share.
class JournalReader {
 public:
  virtual ~JournalReader() = default;
  // From position `from`, or from first() when that is later; whole frames before it are skipped
  // by their headers.
  virtual Result<std::unique_ptr<JournalCursor>> read(Position from) = 0;
  // From a place that no record received at or after `time` comes before. `received` may step back
  // when the clock does; nothing is missed then, only more is read.
  virtual Result<std::unique_ptr<JournalCursor>> read_at_time(Time time) = 0;
  virtual Position first() const = 0;       // earliest position still kept; 1 when empty
  virtual Position end() const = 0;         // last position appended; 0 when empty
  virtual std::uint64_t bytes() const = 0;  // of all log files
};

class Journal : public JournalReader {
 public:
  // Orders the records right after all earlier ones; the position of the last. kUnavailable after a
  // failed write or sync: the journal then takes nothing more until it is opened again.
  virtual Result<Position> append(std::span<const Record> records) = 0;
  // Calls back once, from the writer thread, when everything up to `position` is on disk or failed.
  virtual void when_durable(Position position, std::function<void(const Status&)> done) = 0;
  // Waits until everything appended is on disk.
  virtual Status flush() = 0;
  // first() as it would be after drop_before(position).
  virtual Position first_after_drop(Position position) const = 0;
  // Deletes the log files all of whose records are before `position`; the new first(). A cursor
  // that still had to read one of them then answers kNotFound.
  virtual Result<Position> drop_before(Position position) = 0;
};

struct FileJournalOptions {
  std::string directory;
  std::uint64_t file_bytes = 64u << 20;  // a new log file starts beyond this
  // Runs on the writer thread before a group is written; its failure is the group's. Keys become
  // durable here, before what is sealed under them does.
  std::function<Status()> before_commit = nullptr;
  // At the open, when a crash left a torn tail and it was cut.
  std::function<void(const std::string& file, std::uint64_t bytes)> on_torn_tail = nullptr;
};
Result<std::unique_ptr<Journal>> open_file_journal(const FileJournalOptions& options);

// Takes no lock and changes nothing on disk: for a workspace that is stopped or in use. Ends at
// what was whole on disk when opened. kNotFound without a journal in the directory.
Result<std::unique_ptr<JournalReader>> open_journal_reader(const std::string& directory);

}  // namespace attune
