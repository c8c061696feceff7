// LogFile: the only way the journal writes. Tests put a faulty one in its place. One thread.
#pragma once
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "base/file.h"
#include "base/result.h"

namespace attune {

class LogFile {
 public:
  virtual ~LogFile() = default;
  // All of the bytes or an error; after an error the end of the file is undefined.
  virtual Status append(std::string_view bytes) = 0;
  virtual Status sync() = 0;
  virtual Status truncate(std::uint64_t size) = 0;
  virtual std::uint64_t size() const = 0;
};

// Opens for appending, creates the file when absent.
using LogFileFactory = std::function<Result<std::unique_ptr<LogFile>>(const std::string& path)>;
Result<std::unique_ptr<LogFile>> open_log_file(const std::string& path);

}  // namespace attune
