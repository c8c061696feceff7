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

// The latest `received` of the frames read so far.
Status note_received(const LogReader& reader, const FrameHeader& header, Time& latest) {
  latest = std::max(latest, time_from_us(header.base));
  Reader in(reader.payload());
  Record record;
  for (std::uint32_t i = 0; i < header.count; ++i) {
    if (!decode_record(in, header.base, record)) {
      return reader.corrupt("the frame before this offset holds no valid records");
    }
    latest = std::max(latest, record.received);
  }
  return ok_status();
}

// The last frame's base covers what came before it, so only that frame is read.
Result<Time> latest_of_file(const std::string& directory, Position first) {
  TRY(LogReader reader, LogReader::open(log_path(directory, first)));
  Position next = first;
  std::optional<FrameHeader> last;
  Time latest = Time::min();
  for (;;) {
    TRY(const std::optional<FrameHeader> header, reader.peek(next));
    if (!header) break;
    if (reader.offset() + kFrameHeaderBytes + header->length == reader.size()) {
      TRY(last, reader.next(next));
      if (last) TRY_OK(note_received(reader, *last, latest));
      break;
    }
    latest = std::max(latest, time_from_us(header->base));
    reader.skip(*header);
    next += header->count;
  }
  return latest;
}

Status verify_last_file(const std::string& directory, RecoveredLog& log) {
  TRY(LogReader reader, LogReader::open(log_path(directory, log.files.back())));
  Position next = log.files.back();
  for (;;) {
    TRY(const std::optional<FrameHeader> header, reader.next(next));
    if (!header) break;
    TRY_OK(note_received(reader, *header, log.latest));
    next += header->count;
  }
  if (!reader.at_end()) {
    TRY(const bool follows, reader.valid_frame_follows(next));
    if (follows) return reader.corrupt("a bad frame with valid ones after it");
  }
  log.end = next - 1;
  log.last_version = reader.version();
  log.last_bytes = reader.offset();
  return ok_status();
}

// Who holds the lock, for the message to whoever comes next. Not synced: nothing depends on it.
Status write_holder(int fd, const std::string& path) {
  if (::ftruncate(fd, 0) != 0) return file_error("write", path);
  return write_at(fd, path, 0, fmt::format("{}", ::getpid()));
}

}  // namespace

Result<RecoveredLog> recover_log(const std::string& directory, bool is_repairing) {
  RecoveredLog log;
  TRY(log.files, list_files(directory));
  if (!log.files.empty()) {
    const std::string path = log_path(directory, log.files.back());
    TRY(const bool empty, never_begun(path));
    if (empty && is_repairing) {
      if (::unlink(path.c_str()) != 0) return file_error("remove", path);
      TRY_OK(sync_directory(directory));
    }
    if (empty) log.files.pop_back();
  }
  if (log.files.empty()) return log;
  TRY_OK(verify_last_file(directory, log));
  log.bytes = log.last_bytes;
  for (std::size_t i = 0; i + 1 < log.files.size(); ++i) {
    std::error_code ec;
    const std::uint64_t size = fs::file_size(log_path(directory, log.files[i]), ec);
    if (!ec) log.bytes += size;
  }
  // A file begun just before a crash holds no frame yet: the one before it knows the time.
  for (std::size_t i = log.files.size() - 1; log.latest == Time::min() && i > 0; --i) {
    TRY(log.latest, latest_of_file(directory, log.files[i - 1]));
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
  if (::flock(fd.get(), LOCK_EX | LOCK_NB) == 0) {
    TRY_OK(write_holder(fd.get(), path));
    return fd;
  }
  if (errno != EWOULDBLOCK) return file_error("lock", path);
  TRY(const std::string holder, read_at(fd.get(), path, 0, 20));
  return Error{Code::kConflict,
               fmt::format("workspace {} is in use by another process{}",
                           fs::path(directory).parent_path().string(),
                           holder.empty() ? "" : fmt::format(" (pid {})", holder)),
               {},
               "stop the other process, or give this one a workspace of its own"};
}

std::string holder_of(const std::string& directory) {
  const std::string path = directory + "/LOCK";
  const Fd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd.valid() || ::flock(fd.get(), LOCK_SH | LOCK_NB) == 0 || errno != EWOULDBLOCK) return {};
  const auto holder = read_at(fd.get(), path, 0, 20);
  return holder.ok() && !holder->empty() ? *holder : "unknown";
}

}  // namespace attune
