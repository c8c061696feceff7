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

Result<std::unique_ptr<LogFile>> open_log_file(const std::string& path) {
  Fd fd(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
  struct stat info {};
  if (!fd.valid() || ::fstat(fd.get(), &info) != 0) return file_error("open", path);
  const auto size = static_cast<std::uint64_t>(info.st_size);
  return std::unique_ptr<LogFile>(std::make_unique<PosixLogFile>(path, std::move(fd), size));
}

}  // namespace attune
