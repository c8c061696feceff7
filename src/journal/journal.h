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

class Journal {
 public:
  virtual ~Journal() = default;
  // Orders the records right after all earlier ones; the position of the last. kUnavailable after a
  // failed write or sync: the journal then takes nothing more until it is opened again.
  virtual Result<Position> append(std::span<const Record> records) = 0;
  // Calls back once, from the writer thread, when everything up to `position` is on disk or failed.
  virtual void when_durable(Position position, std::function<void(const Status&)> done) = 0;
  // Waits until everything appended is on disk.
  virtual Status flush() = 0;
  virtual Result<std::unique_ptr<JournalCursor>> read(Position from) = 0;
  virtual Position end() const = 0;  // last position appended
  virtual std::uint64_t bytes() const = 0;
};

struct FileJournalOptions {
  std::string directory;
  std::uint64_t file_bytes = 64u << 20;  // a new log file starts beyond this
};
Result<std::unique_ptr<Journal>> open_file_journal(const FileJournalOptions& options);

}  // namespace attune
