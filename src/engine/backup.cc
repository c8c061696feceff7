// Backup: a checkpoint, then its files and the journal into one archive, while events and decisions
// go on. What the journal takes meanwhile may be inside, up to a torn last frame, as after a crash.
#include <fmt/format.h>

#include <algorithm>
#include <filesystem>

#include "engine/archive.h"
#include "engine/manifest.h"
#include "engine/workspace.h"

namespace attune {
namespace {

namespace fs = std::filesystem;

// In order of name: the journal's files in order of position.
Result<std::vector<std::string>> files_of(const std::string& folder) {
  std::vector<std::string> names;
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(folder, error)) {
    if (entry.is_regular_file()) names.push_back(entry.path().filename());
  }
  if (error && error != std::errc::no_such_file_or_directory) {
    return Error{Code::kUnavailable, fmt::format("cannot read {}: {}", folder, error.message())};
  }
  std::sort(names.begin(), names.end());
  return names;
}

// A whole copy of a store, removed at the end.
class StoreCopy {
 public:
  explicit StoreCopy(std::string path) : path_(std::move(path)) { remove(); }
  ~StoreCopy() { remove(); }
  StoreCopy(const StoreCopy&) = delete;
  StoreCopy& operator=(const StoreCopy&) = delete;
  const std::string& path() const { return path_; }

 private:
  void remove() {
    std::error_code ignored;
    fs::remove(path_, ignored);
  }
  const std::string path_;
};

Status add_store(ProfileStore& store, const std::string& name, const std::string& beside,
                 ArchiveWriter& archive) {
  const StoreCopy copy(beside + "." + name);
  TRY_OK(store.copy_to(copy.path()));
  return archive.add_file(name, copy.path());
}

}  // namespace

Result<BackupReport> Workspace::backup(const std::string& archive_path) {
  const std::scoped_lock lock(checkpoint_mutex_);
  TRY(const auto archive, create_archive(archive_path, now()));
  TRY(const Position at, checkpoint_under_lock(false));
  TRY_OK(add_store(*store_, "state.db", archive_path, *archive));
  if (fs::exists(path("base.db"))) {
    TRY(const auto base, open_sqlite_store(path("base.db")));
    TRY_OK(add_store(*base, "base.db", archive_path, *archive));
  }
  for (const char* folder : {"ids", "models", "registry", "stream", "journal"}) {
    TRY(const std::vector<std::string> names, files_of(path(folder)));
    for (const std::string& name : names) {
      if (name == "LOCK") continue;
      const std::string inside = fmt::format("{}/{}", folder, name);
      TRY_OK(archive->add_file(inside, path(inside)));
    }
  }
  Manifest manifest{now(), at, keyring_->id_hash(kManifestName), 0, archive->files()};
  manifest.key_file_bytes = fs::file_size(path("keys"));  // holds the keys of all that is inside
  TRY_OK(archive->add_bytes(std::string(kManifestName), manifest_json(manifest)));
  TRY_OK(archive->finish());
  return BackupReport{at, archive->files().size(), fs::file_size(archive_path)};
}

}  // namespace attune
