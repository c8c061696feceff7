#include "journal/file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace attune {
namespace {

class PosixLogFile final : public LogFile {
 public:
  PosixLogFile(std::string path, Fd fd, std::uint64_t size)
      : path_(std::move(path)), fd_(std::move(fd)), size_(size) {}

  Status append(std::string_view bytes) override {
    TRY_OK(write_at(fd_.get(), path_, size_, bytes));
    size_ += bytes.size();
    return ok_status();
  }

  Status sync() override {
    if (::fdatasync(fd_.get()) != 0) return file_error("sync", path_);
    return ok_status();
  }

  Status truncate(std::uint64_t size) override {
    if (::ftruncate(fd_.get(), static_cast<off_t>(size)) != 0) {
      return file_error("truncate", path_);
    }
    size_ = size;
    return ok_status();
  }

  std::uint64_t size() const override { return size_; }

 private:
  std::string path_;
  Fd fd_;
  std::uint64_t size_;
};

}  // namespace

Fd::~Fd() {
  if (fd_ >= 0) ::close(fd_);
}

Error file_error(std::string_view verb, const std::string& path) {
  const int number = errno;
  Error error{Code::kUnavailable, fmt::format("cannot {} {}: {}", verb, path, strerror(number))};
  if (number == ENOSPC || number == EDQUOT) error.hint = "free disk space, then start again";
  if (number == EACCES || number == EPERM || number == EROFS) {
    error.hint = "give this user read and write access to the workspace";
  }
  return error;
}

Status sync_directory(const std::string& directory) {
  const Fd fd(::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!fd.valid() || ::fsync(fd.get()) != 0) return file_error("sync directory", directory);
  return ok_status();
}

Result<std::string> read_at(int fd, const std::string& path, std::uint64_t offset,
                            std::size_t size) {
  std::string out(size, '\0');
  std::size_t done = 0;
  while (done < size) {
    const ssize_t n =
        ::pread(fd, out.data() + done, size - done, static_cast<off_t>(offset + done));
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return file_error("read", path);
    if (n == 0) break;
    done += static_cast<std::size_t>(n);
  }
  out.resize(done);
  return out;
}

Status write_at(int fd, const std::string& path, std::uint64_t offset, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t n = ::pwrite(fd, bytes.data(), bytes.size(), static_cast<off_t>(offset));
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) {
      if (n == 0) errno = EIO;
      return file_error("write", path);
    }
    bytes.remove_prefix(static_cast<std::size_t>(n));
    offset += static_cast<std::uint64_t>(n);
  }
  return ok_status();
}

Result<std::unique_ptr<LogFile>> open_log_file(const std::string& path) {
  Fd fd(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
  struct stat info {};
  if (!fd.valid() || ::fstat(fd.get(), &info) != 0) return file_error("open", path);
  const auto size = static_cast<std::uint64_t>(info.st_size);
  return std::unique_ptr<LogFile>(std::make_unique<PosixLogFile>(path, std::move(fd), size));
}

}  // namespace attune
