#include "base/new_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <filesystem>

namespace attune {

Result<NewFile> NewFile::create(const std::string& path) {
  NewFile file;
  file.path_ = path;
  file.fresh_ = path + ".new";
  file.fd_ = Fd(::open(file.fresh_.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600));
  if (!file.fd_.valid()) return file_error("create", file.fresh_);
  return file;
}

NewFile::~NewFile() {
  if (fd_.valid()) ::unlink(fresh_.c_str());
}

Status NewFile::append(std::string_view bytes) {
  TRY_OK(write_at(fd_.get(), fresh_, size_, bytes));
  size_ += bytes.size();
  return ok_status();
}

Status NewFile::overwrite(std::uint64_t offset, std::string_view bytes) {
  CHECK(offset + bytes.size() <= size_);
  return write_at(fd_.get(), fresh_, offset, bytes);
}

Status NewFile::finish() {
  if (::fdatasync(fd_.get()) != 0) return file_error("sync", fresh_);
  if (::rename(fresh_.c_str(), path_.c_str()) != 0) return file_error("create", path_);
  fd_ = Fd();
  const std::string folder = std::filesystem::path(path_).parent_path();
  return sync_directory(folder.empty() ? "." : folder);
}

}  // namespace attune
