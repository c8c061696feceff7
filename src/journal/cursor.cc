#include "journal/cursor.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>

#include "base/bytes.h"
#include "journal/frame.h"

namespace attune {
namespace {

class FileCursor final : public JournalCursor {
 public:
  FileCursor(std::string directory, std::vector<Position> files, Position from, Position last)
      : directory_(std::move(directory)), files_(std::move(files)), from_(from), last_(last) {
    // Start in the last file that begins at or before `from`.
    const auto after = std::upper_bound(files_.begin(), files_.end(), from_);
    if (after != files_.begin()) file_ = static_cast<std::size_t>(after - files_.begin()) - 1;
    if (!files_.empty()) next_ = files_[file_];
  }

  Result<std::optional<StoredRecord>> next() override {
    while (!files_.empty() && next_ <= last_) {
      if (left_ == 0) {
        TRY(const bool is_before, load_frame());
        if (is_before) continue;
      }
      StoredRecord stored;
      stored.position = next_++;
      --left_;
      if (!decode_record(records_, base_, stored.record) || (left_ == 0 && !records_.done())) {
        left_ = 0;
        last_ = 0;
        return log_->corrupt("the frame before this offset holds no valid records");
      }
      if (stored.position >= from_) return std::optional(std::move(stored));
    }
    return std::optional<StoredRecord>();
  }

 private:
  // True when the frame here lies before `from`: it was skipped, unread.
  Result<bool> load_frame() {
    TRY_OK(open_file());
    TRY(const std::optional<FrameHeader> ahead, log_->peek(next_));
    if (ahead && next_ + ahead->count <= from_) {
      log_->skip(*ahead);
      next_ += ahead->count;
      return true;
    }
    TRY(const std::optional<FrameHeader> header, log_->next(next_));
    if (!header) return log_->corrupt(fmt::format("no valid frame with record {}", next_));
    left_ = header->count;
    base_ = header->base;
    records_ = Reader(log_->payload());
    return false;
  }

  Status open_file() {
    if (log_ && log_->at_end() && file_ + 1 < files_.size()) {
      ++file_;
      log_.reset();
    }
    if (log_) return ok_status();
    auto opened = LogReader::open(log_path(directory_, files_[file_]));
    if (!opened.ok() && opened.error().code == Code::kNotFound && file_ == 0) {
      return Error{Code::kNotFound,
                   fmt::format("{}: its records were dropped (retention) before they were read",
                               opened.error().message),
                   {},
                   "read again: the journal begins later now"};
    }
    if (!opened.ok() && opened.error().code == Code::kNotFound) {
      return Error{Code::kCorrupt,
                   fmt::format("{}, though older records are: restore it from a backup",
                               opened.error().message),
                   {},
                   "restore this file from a backup"};
    }
    TRY(LogReader log, std::move(opened));
    log_.emplace(std::move(log));
    if (files_[file_] == next_) return ok_status();
    return log_->corrupt(fmt::format("it should begin with record {}", next_));
  }

  std::string directory_;
  std::vector<Position> files_;
  Position from_;
  Position last_;
  std::size_t file_ = 0;
  std::optional<LogReader> log_;
  Reader records_{{}};
  std::int64_t base_ = 0;
  std::uint32_t left_ = 0;  // records of the frame not read yet
  Position next_ = 1;
};

// Base of the file's first frame; the end of time when it holds none.
Result<Time> begin_of(const std::string& directory, Position first) {
  TRY(LogReader log, LogReader::open(log_path(directory, first)));
  TRY(const std::optional<FrameHeader> header, log.peek(first));
  return header ? time_from_us(header->base) : Time::max();
}

}  // namespace

std::unique_ptr<JournalCursor> make_cursor(std::string directory, std::vector<Position> files,
                                           Position from, Position last) {
  return std::make_unique<FileCursor>(std::move(directory), std::move(files), from, last);
}

Result<Position> position_at_time(const std::string& directory, std::span<const Position> files,
                                  Position last, Time time) {
  if (files.empty()) return Position{1};
  // Bases never fall, so the last file that begins before `time` is found by halving.
  std::size_t low = 0, high = files.size();
  while (high - low > 1) {
    const std::size_t middle = (low + high) / 2;
    TRY(const Time begin, begin_of(directory, files[middle]));
    (begin < time ? low : high) = middle;
  }
  TRY(LogReader log, LogReader::open(log_path(directory, files[low])));
  Position found = files[low];
  for (Position next = found; next <= last;) {
    TRY(const std::optional<FrameHeader> header, log.peek(next));
    if (!header || time_from_us(header->base) >= time) break;
    found = next;
    log.skip(*header);
    next += header->count;
  }
  return found;
}

}  // namespace attune
