// LogFile: the only way the journal writes. Tests put a faulty one in its place. One thread.
#pragma once
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

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

// A file descriptor that closes itself.
class Fd {
 public:
  explicit Fd(int fd = -1) : fd_(fd) {}
  Fd(Fd&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Fd& operator=(Fd&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  ~Fd();
  int get() const { return fd_; }
  bool valid() const { return fd_ >= 0; }

 private:
  int fd_;
};

// "cannot <verb> <path>: <errno text>", with a hint for a full disk. Reads errno.
Error file_error(std::string_view verb, const std::string& path);
// Makes a new or removed name in the directory durable.
Status sync_directory(const std::string& directory);
// Reads up to `size` bytes; fewer only at the end of the file.
Result<std::string> read_at(int fd, const std::string& path, std::uint64_t offset,
                            std::size_t size);
Status write_at(int fd, const std::string& path, std::uint64_t offset, std::string_view bytes);

}  // namespace attune
