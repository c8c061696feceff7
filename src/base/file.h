// Files as the system has them: descriptors, whole reads and writes, mappings, and files that are
// written whole or not at all. One thread each; a mapping is safe to share while nobody writes to
// it.
#pragma once
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "base/result.h"

namespace attune {

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

// The parts in a row as the file `path`: beside it first, then made durable and renamed, so that
// the old file or the whole new one is there at any time.
Status store_file(const std::string& path, std::span<const std::string_view> parts);

// A whole file in memory, read as it is used. Changes made through data() stay with this process.
// The file must not be cut while it is mapped: store_file() never does.
class MappedFile {
 public:
  static Result<MappedFile> open(const std::string& path);
  char* data() const { return static_cast<char*>(at_.get()); }
  std::string_view bytes() const { return {data(), size_}; }
  // These bytes are read into memory, as far as that can be done; it takes less than page by page.
  void bring(std::size_t offset, std::size_t size) const;
  // The memory of these bytes goes back to the system; who reads them again reads the file, and
  // what was changed there is forgotten.
  void let_go(std::size_t offset, std::size_t size) const;
  const std::shared_ptr<void>& owner() const { return at_; }  // keeps the mapping alive

 private:
  std::shared_ptr<void> at_;
  std::size_t size_ = 0;
};

}  // namespace attune
