#include "journal/recovery.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <filesystem>

#include "base/bytes.h"
#include "journal/frame.h"

namespace attune {
namespace {

namespace fs = std::filesystem;

Result<std::vector<Position>> list_files(const std::string& directory) {
  std::vector<Position> files;
  std::error_code ec;
  for (fs::directory_iterator it(directory, ec), end; !ec && it != end; it.increment(ec)) {
    const std::string name = it->path().filename().string();
    if (name.size() != 24 || !name.ends_with(".log")) continue;
    Position first = 0;
    const auto parsed = std::from_chars(name.data(), name.data() + 20, first);
    if (parsed.ec == std::errc{} && parsed.ptr == name.data() + 20 && first > 0) {
      files.push_back(first);
    }
  }
  if (ec) {
    return Error{Code::kUnavailable, fmt::format("cannot list {}: {}", directory, ec.message())};
  }
  std::sort(files.begin(), files.end());
  return files;
}

// A crash while a file is created leaves part of its header, or zeros, and no frame.
Result<bool> never_begun(const std::string& path) {
  const Fd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd.valid()) return file_error("open", path);
  TRY(const std::string bytes, read_at(fd.get(), path, 0, kLogHeaderBytes + 1));
  if (bytes.size() < kLogHeaderBytes) return true;
  return bytes.size() == kLogHeaderBytes && bytes.find_first_not_of('\0') == std::string::npos;
}

class FileCursor final : public JournalCursor {
 public:
  FileCursor(std::string directory, std::vector<Position> files, Position from, Position last)
      : directory_(std::move(directory)), files_(std::move(files)), from_(from), last_(last) {
    // Start in the last file that begins at or before `from`.
    while (file_ + 1 < files_.size() && files_[file_ + 1] <= from_) ++file_;
    if (!files_.empty()) next_ = files_[file_];
  }

  Result<std::optional<StoredRecord>> next() override {
    while (!files_.empty() && next_ <= last_) {
      if (left_ == 0) {
        TRY_OK(load_frame());
        // Whole frames before `from` need no decoding.
        if (next_ + left_ <= from_) {
          next_ += left_;
          left_ = 0;
          continue;
        }
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
  Status load_frame() {
    if (log_ && log_->at_end() && file_ + 1 < files_.size()) {
      ++file_;
      log_.reset();
    }
    if (!log_) {
      TRY(LogReader opened, LogReader::open(log_path(directory_, files_[file_])));
      log_.emplace(std::move(opened));
      if (files_[file_] != next_) {
        return log_->corrupt(fmt::format("it should begin with record {}", next_));
      }
    }
    TRY(const std::optional<FrameHeader> header, log_->next(next_));
    if (!header) return log_->corrupt(fmt::format("no valid frame with record {}", next_));
    left_ = header->count;
    base_ = header->base;
    records_ = Reader(log_->payload());
    return ok_status();
  }

  std::string directory_;
  std::vector<Position> files_;
  Position from_;
  Position last_;
  std::size_t file_ = 0;
  std::optional<LogReader> log_;
  Reader records_{{}};
  std::uint64_t base_ = 0;
  std::uint32_t left_ = 0;  // records of the frame not read yet
  Position next_ = 1;
};

}  // namespace

Result<RecoveredLog> recover_log(const std::string& directory) {
  RecoveredLog log;
  TRY(log.files, list_files(directory));
  if (!log.files.empty()) {
    const std::string path = log_path(directory, log.files.back());
    TRY(const bool empty, never_begun(path));
    if (empty) {
      if (::unlink(path.c_str()) != 0) return file_error("remove", path);
      TRY_OK(sync_directory(directory));
      log.files.pop_back();
    }
  }
  if (log.files.empty()) return log;
  TRY(LogReader reader, LogReader::open(log_path(directory, log.files.back())));
  Position next = log.files.back();
  for (;;) {
    TRY(const std::optional<FrameHeader> header, reader.next(next));
    if (!header) break;
    next += header->count;
  }
  if (!reader.at_end()) {
    TRY(const bool follows, reader.valid_frame_follows(next));
    if (follows) return reader.corrupt("a bad frame with valid ones after it");
  }
  log.end = next - 1;
  log.last_bytes = reader.offset();
  log.bytes = log.last_bytes;
  for (std::size_t i = 0; i + 1 < log.files.size(); ++i) {
    std::error_code ec;
    const std::uint64_t size = fs::file_size(log_path(directory, log.files[i]), ec);
    if (!ec) log.bytes += size;
  }
  return log;
}

Result<Fd> lock_directory(const std::string& directory) {
  std::error_code ec;
  fs::create_directories(directory, ec);
  if (ec) {
    return Error{Code::kUnavailable, fmt::format("cannot create {}: {}", directory, ec.message())};
  }
  const fs::path parent = fs::absolute(directory, ec).parent_path();
  TRY_OK(sync_directory(parent.empty() ? "." : parent.string()));
  const std::string path = directory + "/LOCK";
  Fd fd(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
  if (!fd.valid()) return file_error("open", path);
  if (::flock(fd.get(), LOCK_EX | LOCK_NB) == 0) return fd;
  if (errno != EWOULDBLOCK) return file_error("lock", path);
  return Error{Code::kConflict,
               fmt::format("another attune process uses this workspace ({} is locked)", path),
               {},
               "stop the other process, or give this one a workspace of its own"};
}

std::unique_ptr<JournalCursor> make_cursor(std::string directory, std::vector<Position> files,
                                           Position from, Position last) {
  return std::make_unique<FileCursor>(std::move(directory), std::move(files), from, last);
}

}  // namespace attune
