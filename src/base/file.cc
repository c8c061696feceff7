#include "base/file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "base/new_file.h"

namespace attune {

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

Status store_file(const std::string& path, std::span<const std::string_view> parts) {
  TRY(NewFile file, NewFile::create(path));
  for (const std::string_view part : parts) TRY_OK(file.append(part));
  return file.finish();
}

namespace {
std::size_t page_before(std::size_t offset) {
  static const auto page = static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
  return offset / page * page;
}
}  // namespace

Result<MappedFile> MappedFile::open(const std::string& path) {
  const Fd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  struct stat info {};
  if (!fd.valid() || ::fstat(fd.get(), &info) != 0) {
    Error error = file_error("open", path);
    if (errno == ENOENT) error.code = Code::kNotFound;
    return error;
  }
  if (!S_ISREG(info.st_mode)) return Error{Code::kInvalid, path + ": not a file"};
  MappedFile file;
  file.size_ = static_cast<std::size_t>(info.st_size);
  if (file.size_ == 0) return file;
  const std::size_t size = file.size_;
  void* const at =
      ::mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_NORESERVE, fd.get(), 0);
  if (at == MAP_FAILED) return file_error("map", path);
  file.at_ = std::shared_ptr<void>(at, [size](void* begin) { ::munmap(begin, size); });
  return file;
}

void MappedFile::bring(std::size_t offset, std::size_t size) const {
  const std::size_t begin = page_before(offset);
  ::madvise(data() + begin, offset + size - begin, MADV_POPULATE_READ);
}

void MappedFile::let_go(std::size_t offset, std::size_t size) const {
  const std::size_t begin = page_before(offset);
  ::madvise(data() + begin, offset + size - begin, MADV_DONTNEED);
}

}  // namespace attune
