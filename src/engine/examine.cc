#include "engine/examine.h"

#include <fmt/format.h>

#include <filesystem>

#include "journal/frame.h"
#include "journal/keyring.h"
#include "journal/recovery.h"
#include "learn/learner.h"
#include "profile/store.h"

namespace attune {
namespace {

namespace fs = std::filesystem;
constexpr auto kDriftIsNews = std::chrono::hours(24 * 7);
constexpr auto kClockSlack = std::chrono::minutes(5);
constexpr Position kUnknown = ~Position{0};  // end of a journal that somebody writes

Finding failed(std::string check, const Error& error) {
  return {Health::kFail, std::move(check), error.message, error.hint};
}

Finding examine_keys(const std::string& path) {
  const auto keyring = open_keyring_reader(path);
  if (!keyring.ok()) return failed("keys", keyring.error());
  std::error_code error;
  const auto mode = fs::status(path, error).permissions();
  if ((mode & (fs::perms::group_all | fs::perms::others_all)) != fs::perms::none) {
    return {Health::kFail, "keys",
            fmt::format("{} has mode {:o}: others on this machine may read it", path,
                        static_cast<unsigned>(mode)),
            "chmod 600 " + path};
  }
  return {Health::kOk, "keys", fmt::format("{} identities, mode 600", (*keyring)->size())};
}

Finding examine_tail(const std::string& directory, const RecoveredLog& log, bool is_in_use) {
  const std::string last = log_path(directory, log.files.back());
  std::error_code error;
  const std::uint64_t size = fs::file_size(last, error);
  if (!error && size > log.last_bytes && !is_in_use) {
    return {Health::kWarn, "journal",
            fmt::format("{} ends with {} bytes that a crash left: never acknowledged", last,
                        size - log.last_bytes),
            "the next start cuts them off"};
  }
  return {Health::kOk, "journal",
          fmt::format("{} records in {} files, {} bytes; the last file is whole", log.end,
                      log.files.size(), log.bytes)};
}

void examine_clock(const RecoveredLog& log, Time now, Examination& out) {
  if (log.latest <= now + kClockSlack) return;
  out.findings.push_back(
      {Health::kWarn, "clock",
       fmt::format("the clock says {}, the newest record {}", format_iso8601(now),
                   format_iso8601(log.latest)),
       "set the machine's clock (timedatectl); nothing to do when the clock is event"});
}

Finding examine_store(const std::string& path, std::string name, Position end) {
  const auto store = open_sqlite_store(path);
  if (!store.ok()) return failed(std::move(name), store.error());
  const Position at = (*store)->position();
  if (at > end) {
    return {Health::kFail, std::move(name),
            fmt::format("{} is as of record {}, but the journal ends at {}: log files are missing",
                        path, at, end),
            "restore the workspace from a backup"};
  }
  return {Health::kOk, std::move(name),
          end == kUnknown ? fmt::format("as of record {}", at)
                          : fmt::format("as of record {}, {} to replay at a start", at, end - at)};
}

// As of the last checkpoint.
void examine_drift(const std::string& path, Time now, Examination& out) {
  if (!fs::exists(path)) return;
  const auto store = open_sqlite_reader(path);
  if (!store.ok()) return;  // said where the file is looked at
  const auto bytes = (*store)->load_fold("learner");
  if (!bytes.ok() || bytes->empty()) return;
  const auto learner = Learner::decode(*bytes, [](Surrogate, std::string_view) {
    return std::optional<std::string>();  // rows that wait are not needed
  });
  if (!learner.ok()) return out.findings.push_back(failed("drift", learner.error()));
  const auto& last = learner->drift().last();
  if (!last || now - last->at > kDriftIsNews) return;
  out.findings.push_back(
      {Health::kWarn, "drift",
       fmt::format("{}, noticed {}", drift_words(*last), format_iso8601(last->at)),
       "see what changed (items, prices, traffic, tracking); attune train --workspace with "
       "--register and --promote, or a schedule (training.every_s), learns it"});
}

void examine_journal(const std::string& workspace, Time now, Examination& out) {
  const std::string directory = workspace + "/journal";
  const auto log = recover_log(directory, false);
  if (!log.ok()) return out.findings.push_back(failed("journal", log.error()));
  out.findings.push_back(log->files.empty() ? Finding{Health::kOk, "journal", "nothing written yet"}
                                            : examine_tail(directory, *log, !out.holder.empty()));
  examine_clock(*log, now, out);
  examine_drift(workspace + "/state.db", now, out);
  for (const char* name : {"state.db", "base.db"}) {
    const std::string path = workspace + "/" + name;
    // A server may be ahead of what was read of its journal just now.
    if (fs::exists(path)) {
      out.findings.push_back(examine_store(path, name, out.holder.empty() ? log->end : kUnknown));
    }
  }
}

}  // namespace

std::string holder_of_workspace(const std::string& workspace) {
  return holder_of(workspace + "/journal");
}

Examination examine(const std::string& workspace, Time now) {
  Examination out;
  if (!fs::is_directory(workspace + "/journal")) {
    out.findings.push_back({Health::kFail, "workspace", "there is none at " + workspace,
                            "name its folder with --workspace, or start attune serve to make it"});
    return out;
  }
  out.holder = holder_of(workspace + "/journal");
  out.findings.push_back({Health::kOk, "workspace",
                          out.holder.empty() ? workspace + ", stopped"
                                             : workspace + ", used by process " + out.holder});
  out.findings.push_back(examine_keys(workspace + "/keys"));
  examine_journal(workspace, now, out);
  return out;
}

}  // namespace attune
