#include "engine/base_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <iterator>

namespace attune {
namespace {

Error failed(const std::string& path) {
  return {Code::kUnavailable, "cannot write " + path, "", "check free space and permissions"};
}

bool write_synced(const std::string& path, std::string_view bytes) {
  const int file = ::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  if (file < 0) return false;
  bool is_ok = true;
  while (is_ok && !bytes.empty()) {
    const ssize_t written = ::write(file, bytes.data(), bytes.size());
    is_ok = written > 0;
    if (is_ok) bytes.remove_prefix(static_cast<std::size_t>(written));
  }
  is_ok = is_ok && ::fdatasync(file) == 0;
  return ::close(file) == 0 && is_ok;
}

}  // namespace

Status store_base_file(const std::string& path, std::string_view bytes) {
  const std::string fresh = path + ".new";
  if (!write_synced(fresh, bytes)) return failed(fresh);
  if (::rename(fresh.c_str(), path.c_str()) != 0) return failed(path);
  const std::string folder = std::filesystem::path(path).parent_path();
  const int directory = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (directory < 0) return failed(path);
  const bool is_synced = ::fsync(directory) == 0;
  ::close(directory);
  return is_synced ? ok_status() : Status(failed(path));
}

Status load_base_file(const std::string& path, State& state) {
  std::ifstream in(path, std::ios::binary);
  if (!in) return ok_status();
  const std::string bytes((std::istreambuf_iterator<char>(in)), std::istreambuf_iterator<char>());
  return state.load_base(bytes);
}

}  // namespace attune
