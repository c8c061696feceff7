#include "engine/model_files.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <filesystem>

#include "journal/file.h"

namespace attune {
namespace {

namespace fs = std::filesystem;

std::string path_of(const std::string& folder, std::uint64_t version) {
  return fmt::format("{}/{:012}.model", folder, version);
}

}  // namespace

std::vector<std::uint64_t> model_versions(const std::string& folder) {
  std::vector<std::uint64_t> versions;
  std::error_code error;
  for (const auto& file : fs::directory_iterator(folder, error)) {
    if (file.path().extension() != ".model") continue;
    const std::string stem = file.path().stem();
    std::uint64_t version = 0;
    const auto [end, bad] = std::from_chars(stem.data(), stem.data() + stem.size(), version);
    if (bad == std::errc() && end == stem.data() + stem.size()) versions.push_back(version);
  }
  std::sort(versions.begin(), versions.end());
  return versions;
}

Status store_model(const std::string& folder, std::uint64_t version, std::string_view bytes) {
  std::error_code error;
  fs::create_directories(folder, error);
  const std::string path = path_of(folder, version), fresh = path + ".new";
  const Fd fd(::open(fresh.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600));
  if (!fd.valid()) return file_error("create", fresh);
  TRY_OK(write_at(fd.get(), fresh, 0, bytes));
  if (::fdatasync(fd.get()) != 0) return file_error("sync", fresh);
  if (::rename(fresh.c_str(), path.c_str()) != 0) return file_error("create", path);
  TRY_OK(sync_directory(folder));
  const auto versions = model_versions(folder);
  for (std::size_t i = 0; i + kModelsKept < versions.size(); ++i) {
    fs::remove(path_of(folder, versions[i]), error);
  }
  return ok_status();
}

}  // namespace attune
