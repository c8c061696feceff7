// Log: one line per event, "TIME LEVEL event_name key=value ...". For what an operator should know:
// never names, ids or texts of persons. Safe to share; the clock is passed in.
#pragma once
#include <concepts>
#include <cstdint>
#include <functional>
#include <initializer_list>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>

#include "base/config.h"
#include "base/result.h"
#include "base/time.h"

namespace attune {

enum class LogLevel { kDebug, kInfo, kWarn, kError, kOff };

struct LogOptions {
  std::string level = "info";          // debug, info, warn, error or off
  std::string file;                    // "" = standard error
  std::int64_t max_bytes = 64 << 20;   // of one file; then it becomes FILE.1, FILE.1 FILE.2 ...
  std::int64_t keep = 5;               // old files kept
  std::int64_t slow_request_ms = 500;  // requests slower than this are logged; 0 = none
};

void bind(LogOptions& options, Config& config);  // section [log]

struct LogField {
  LogField(std::string_view n, std::string_view text) : name(n), value(text) {}
  LogField(std::string_view n, const char* text) : name(n), value(text) {}
  template <class T>
  requires std::integral<T> || std::floating_point<T> LogField(std::string_view n, T number)
      : name(n), value(std::to_string(number)) {}
  std::string_view name;
  std::string value;
};

class Log {
 public:
  using NowFunction = std::function<Time()>;
  static Result<std::unique_ptr<Log>> open(const LogOptions& options, NowFunction now);
  // Writes into `parent`, with this field last in each line. The parent must outlive it.
  Log(Log& parent, std::string_view field, std::string_view value);
  ~Log();
  Log(const Log&) = delete;
  Log& operator=(const Log&) = delete;

  void write(LogLevel level, std::string_view event, std::initializer_list<LogField> fields = {});
  bool is_on(LogLevel level) const { return level >= level_; }

 private:
  Log(const LogOptions& options, NowFunction now);
  Status reopen();
  void rotate();
  void write_line(std::string_view line);

  Log* const parent_ = nullptr;
  const std::string tag_;  // " field=value"
  const LogOptions options_;
  const NowFunction now_;
  LogLevel level_ = LogLevel::kInfo;
  std::mutex mutex_;  // guards what follows
  int file_ = 2;
  std::int64_t size_ = 0;
};

// The line without its end: values with spaces, quotes or control characters are quoted.
std::string log_line(Time when, LogLevel level, std::string_view event,
                     std::initializer_list<LogField> fields);

}  // namespace attune
