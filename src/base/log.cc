#include "base/log.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <optional>

#include "base/json.h"

namespace attune {
namespace {

constexpr std::string_view kNames[] = {"debug", "info", "warn", "error", "off"};

std::optional<LogLevel> level_of(std::string_view name) {
  const auto found = std::find(std::begin(kNames), std::end(kNames), name);
  if (found == std::end(kNames)) return std::nullopt;
  return static_cast<LogLevel>(found - std::begin(kNames));
}

bool is_plain(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
    return c > ' ' && c != '"' && c != '=' && c != '\\' && c != '\x7f';
  });
}

void write_all(int file, std::string_view text) {
  while (!text.empty()) {
    const ssize_t written = ::write(file, text.data(), text.size());
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return;  // a log that cannot be written must not stop the server
    text.remove_prefix(static_cast<std::size_t>(written));
  }
}

}  // namespace

void bind(LogOptions& options, Config& config) {
  config.choice("log.level", options.level, {"debug", "info", "warn", "error", "off"},
                "Least level written.");
  config.text("log.file", options.file, "", "File of the log; empty is standard error.");
  config.number("log.max_bytes", options.max_bytes, {4096, 1e12}, "bytes",
                "Size at which the log file is put aside as FILE.1 and a new one begun.");
  config.number("log.keep", options.keep, {0, 1000}, "", "Files put aside that are kept.");
  config.number("log.slow_request_ms", options.slow_request_ms, {0, 1e9}, "ms",
                "Requests slower than this are logged; 0 is none.");
}

std::string log_line(Time when, LogLevel level, std::string_view event,
                     std::initializer_list<LogField> fields) {
  std::string line = format_iso8601(when);
  line.append(" ").append(kNames[static_cast<int>(level)]).append(" ").append(event);
  for (const LogField& field : fields) {
    line.append(" ").append(field.name).append("=");
    if (is_plain(field.value)) {
      line += field.value;
    } else {
      append_json_string(line, field.value);
    }
  }
  return line;
}

Log::Log(const LogOptions& options, NowFunction now) : options_(options), now_(std::move(now)) {}

Log::Log(Log& parent, std::string_view field, std::string_view value)
    : parent_(&parent),
      tag_(" " + std::string(field) + "=" + std::string(value)),
      now_(parent.now_),
      level_(parent.level_) {}

Log::~Log() {
  if (!options_.file.empty() && file_ >= 0) ::close(file_);
}

Result<std::unique_ptr<Log>> Log::open(const LogOptions& options, NowFunction now) {
  const auto level = level_of(options.level);
  if (!level) {
    return Error{Code::kInvalid, "log.level is " + options.level, "log.level",
                 "use debug, info, warn, error or off"};
  }
  std::unique_ptr<Log> log(new Log(options, std::move(now)));
  log->level_ = *level;
  if (!options.file.empty()) TRY_OK(log->reopen());
  return log;
}

Status Log::reopen() {
  file_ = ::open(options_.file.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0640);
  if (file_ < 0) {
    return Error{Code::kUnavailable, "log file " + options_.file + ": " + std::strerror(errno),
                 "log.file", "choose a file in a folder you may write to"};
  }
  struct stat info {};
  size_ = ::fstat(file_, &info) == 0 ? info.st_size : 0;
  return ok_status();
}

void Log::rotate() {
  const auto name = [this](std::int64_t i) { return options_.file + "." + std::to_string(i); };
  ::close(file_);
  if (options_.keep == 0) ::unlink(options_.file.c_str());
  for (std::int64_t i = options_.keep; i > 1; --i) {
    std::rename(name(i - 1).c_str(), name(i).c_str());
  }
  if (options_.keep > 0) std::rename(options_.file.c_str(), name(1).c_str());
  if (!reopen().ok()) file_ = -1;
}

void Log::write(LogLevel level, std::string_view event, std::initializer_list<LogField> fields) {
  if (!is_on(level)) return;
  const std::string line = log_line(now_(), level, event, fields) + tag_ + "\n";
  parent_ != nullptr ? parent_->write_line(line) : write_line(line);
}

void Log::write_line(std::string_view line) {
  const std::scoped_lock lock(mutex_);
  const auto size = static_cast<std::int64_t>(line.size());
  if (!options_.file.empty() && size_ > 0 && size_ + size > options_.max_bytes) rotate();
  write_all(file_, line);
  size_ += size;
}

}  // namespace attune
