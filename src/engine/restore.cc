#include "engine/restore.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <unordered_set>

#include "base/bytes.h"
#include "engine/archive.h"
#include "engine/manifest.h"
#include "engine/workspace.h"
#include "journal/file.h"

namespace attune {
namespace {

namespace fs = std::filesystem;

bool is_of_a_backup(std::string_view name) {
  if (name == "state.db" || name == "base.db" || name == kManifestName) return true;
  const auto slash = name.find('/');
  if (slash == std::string_view::npos) return false;
  const std::string_view folder = name.substr(0, slash), file = name.substr(slash + 1);
  return (folder == "journal" || folder == "ids" || folder == "models" || folder == "registry" ||
          folder == "stream") &&
         !file.empty() && file != "." && file != ".." && file.find('/') == std::string_view::npos;
}

Result<Manifest> checked(const std::string& archive, const std::string& folder,
                         std::vector<ArchivedFile> found) {
  if (found.empty() || found.back().name != kManifestName) {
    return Error{Code::kCorrupt,
                 fmt::format("archive {} is cut short: it has no manifest", archive), "archive",
                 "use another backup"};
  }
  found.pop_back();
  std::ifstream in(folder + "/" + std::string(kManifestName), std::ios::binary);
  const std::string text((std::istreambuf_iterator<char>(in)), std::istreambuf_iterator<char>());
  TRY(Manifest manifest, parse_manifest(text));
  for (std::size_t i = 0; i < std::max(found.size(), manifest.files.size()); ++i) {
    if (i < found.size() && i < manifest.files.size() && found[i] == manifest.files[i]) continue;
    return Error{Code::kCorrupt,
                 fmt::format("archive {} is damaged: {} is not as its manifest says", archive,
                             i < found.size() ? found[i].name : manifest.files[i].name),
                 "archive", "use another backup"};
  }
  return manifest;
}

Status check_keys(const Manifest& manifest, const std::string& key_file) {
  TRY(const auto keys, open_keyring_reader(key_file));
  if (keys->id_hash(kManifestName) != manifest.key_check) {
    return Error{Code::kInvalid,
                 fmt::format("key file {} is of another workspace than the archive", key_file),
                 "keys", "name the key file of the workspace that was backed up"};
  }
  const std::uint64_t bytes = fs::file_size(key_file);
  if (bytes >= manifest.key_file_bytes) return ok_status();
  return Error{Code::kInvalid,
               fmt::format("key file {} is older than the archive: it has {} bytes, at the backup "
                           "it had {}; persons would be lost",
                           key_file, bytes, manifest.key_file_bytes),
               "keys", "name the newest copy of the key file"};
}

Status check_target(const std::string& workspace) {
  std::error_code error;
  if (!fs::exists(workspace, error) || fs::is_empty(workspace, error)) return ok_status();
  return Error{Code::kConflict, fmt::format("{} is not empty", workspace), "workspace",
               "name a folder that does not exist yet"};
}

Status copy_keys(const std::string& key_file, const std::string& target) {
  std::error_code error;
  fs::copy_file(key_file, target, error);
  if (!error) {
    fs::permissions(target, fs::perms::owner_read | fs::perms::owner_write, error);
  }
  if (!error) return ok_status();
  return Error{Code::kUnavailable, fmt::format("cannot copy {}: {}", key_file, error.message()),
               "keys", "check free space and permissions"};
}

Result<RestoreReport> open_once(const std::string& folder) {
  EngineOptions options;
  options.workspace = folder;
  options.is_ticking = false;
  Workspace workspace(options);
  TRY_OK(workspace.start());
  TRY_OK(workspace.checkpoint());
  TRY_OK(workspace.close());
  return workspace.restored();
}

Result<RestoreReport> restore_into(const std::string& archive, const std::string& key_file,
                                   const std::string& folder) {
  std::error_code error;
  fs::create_directories(folder, error);
  if (error) {
    return Error{Code::kUnavailable, fmt::format("cannot make {}: {}", folder, error.message()),
                 "workspace", "choose a folder you may write to"};
  }
  TRY(std::vector<ArchivedFile> files, extract_archive(archive, folder, is_of_a_backup));
  TRY(const Manifest manifest, checked(archive, folder, std::move(files)));
  TRY_OK(check_keys(manifest, key_file));
  TRY_OK(copy_keys(key_file, folder + "/keys"));
  return open_once(folder);
}

std::uint64_t events_in(const Record& record, const Keyring& keyring) {
  if (record.kind != Kind::kEvents) return record.kind == Kind::kEvent ? 1 : 0;
  const auto payload = keyring.open(record);
  if (!payload.ok()) return 0;
  std::uint64_t count = 0;
  StoredEvent event;
  EventListReader list(*payload, record.received);
  for (auto more = list.next(event); more.ok() && *more; more = list.next(event)) ++count;
  return count;
}

}  // namespace

// Only a workspace that was just restored, be it by hand, is read through for persons whose keys
// are gone although no erase record names them.
Status Workspace::find_erased_since_backup() {
  if (!fs::exists(path(kManifestName))) return ok_status();
  std::unordered_set<Surrogate, IdHash> known, gone;
  const auto note = [&](Surrogate one) { (keyring_->has_key(one) ? known : gone).insert(one); };
  TRY_OK(store_->each([&](Surrogate identity, std::string_view) {
    note(identity);
    return ok_status();
  }));
  TRY(const auto cursor, journal_->read(journal_->first()));
  std::vector<Surrogate> erased_before;
  while (true) {
    TRY(const auto stored, cursor->next());
    if (!stored) break;
    const Record& record = stored->record;
    Reader in(record.payload);
    while (record.kind == Kind::kErase && in.left() >= 8) {
      erased_before.push_back(Surrogate{in.u64()});
    }
    if (raw(record.surrogate) == 0) continue;
    note(record.surrogate);
    if (!keyring_->has_key(record.surrogate)) continue;
    restored_.events += events_in(record, *keyring_);
    restored_.decisions += record.kind == Kind::kDecision ? 1 : 0;
  }
  for (const Surrogate one : erased_before) gone.erase(one);
  erased_.insert(erased_.end(), gone.begin(), gone.end());
  restored_.identities = known.size();
  restored_.erased = gone.size();
  restored_.position = journal_->end();
  return ok_status();
}

Result<RestoreReport> restore_workspace(const std::string& archive, const std::string& key_file,
                                        const std::string& workspace) {
  TRY_OK(check_target(workspace));
  const std::string part = workspace + ".part";
  std::error_code error;
  fs::remove_all(part, error);
  auto report = restore_into(archive, key_file, part);
  if (!report.ok()) {
    fs::remove_all(part, error);
    return report;
  }
  fs::rename(part, workspace, error);
  if (error) return file_error("create", workspace);
  TRY_OK(sync_directory(fs::absolute(workspace).parent_path().string()));
  return report;
}

}  // namespace attune
