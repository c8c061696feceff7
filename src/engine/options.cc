#include "engine/options.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/hash.h"
#include "base/time_zone.h"
#include "profile/profile.h"

namespace attune {
namespace {

struct PurposeName {
  std::string_view name;
  Purpose purpose;
};
constexpr PurposeName kPurposes[] = {{"analytics", Purpose::kAnalytics},
                                     {"personalization", Purpose::kPersonalization},
                                     {"advertising", Purpose::kAdvertising},
                                     {"storage", Purpose::kStorage}};

std::vector<std::string> purpose_names() {
  std::vector<std::string> names;
  for (const PurposeName& known : kPurposes) names.emplace_back(known.name);
  return names;
}

}  // namespace

EngineSettings::EngineSettings() : granted(purpose_names()) {
  options.workspace = "attune-workspace";
}

void bind(EngineSettings& settings, Config& config) {
  EngineOptions& o = settings.options;
  config.text("workspace.path", o.workspace, "", "Folder of the workspace; made when absent.");
  config.choice("workspace.clock", o.clock, {"as_before", "wall", "event"},
                "Time of decisions: the machine's, or that of the latest event, for history and "
                "simulation; as_before keeps what the workspace ran on last, wall when it is new.");
  config.text("workspace.time_zone", settings.time_zone, "",
              "Where days and hours are meant: a name of the tz database, as Europe/Berlin; "
              "as_before keeps what the workspace had last, UTC when it is new.");
  config.number("workspace.memory_bytes", o.memory_bytes, {0, 1e15}, "bytes",
                "Limit of the whole process, at least 128M; 0 is none.");
  config.number("workspace.retention_s", o.retention_s, {0, 4e9}, "s",
                "Log files with nothing newer than this are dropped; 0 keeps all.");
  config.number("workspace.checkpoint_s", o.checkpoint_s, {1, 86400}, "s",
                "Time between checkpoints: at most so much is replayed at a start.");
  config.number("workspace.log_file_bytes", o.log_file_bytes, {65536, 1e12}, "bytes",
                "Size beyond which the journal begins a new log file.");
  config.number("workspace.full_disk_share", o.full_disk_share, {0.01, 1}, "",
                "Share of the disk in use beyond which events are refused; decisions go on.");
  config.number("workspace.shards", o.shards, {1, 64}, "",
                "Partitions of the persons in memory; results do not depend on it.");
  config.number("workspace.tick_ms", o.tick_ms, {10, 60'000}, "ms", "Time between ticks.");
  config.number("workspace.event_tick_s", o.event_tick_s, {0.001, 86400}, "s",
                "Event time between ticks when the clock is event.");
  config.text(
      "workspace.plan", settings.plan_file, "",
      "TOML file of the plan: which features make a row. Journalled when it changes; without "
      "it the workspace keeps the plan it has.");
  config.list("consent.default", settings.granted, purpose_names(),
              "Purposes that hold for persons who said nothing; without storage nothing of them "
              "is kept.");
}

Result<EngineOptions> engine_options(const EngineSettings& settings) {
  EngineOptions options = settings.options;
  if (options.memory_bytes != 0 && options.memory_bytes < kLeastMemory) {
    return Error{Code::kInvalid,
                 fmt::format("workspace.memory_bytes is {}, must be 0 or at least {}",
                             options.memory_bytes, kLeastMemory),
                 "workspace.memory_bytes", "for example 512M; 0 is no limit"};
  }
  if (settings.time_zone != "as_before") {
    if (const auto zone = TimeZone::find(settings.time_zone); !zone.ok()) {
      return Error{zone.error().code, "workspace.time_zone: " + zone.error().message,
                   "workspace.time_zone", zone.error().hint};
    }
    options.time_zone = settings.time_zone;
  }
  std::uint8_t denied = 0;
  for (const PurposeName& known : kPurposes) {
    const auto& granted = settings.granted;
    if (std::find(granted.begin(), granted.end(), known.name) == granted.end()) {
      denied = static_cast<std::uint8_t>(denied | static_cast<std::uint8_t>(known.purpose));
    }
  }
  options.denied_by_default = denied;
  return options;
}

std::string settings_hash(std::string_view settings) {
  return fmt::format("{:016x}", hash64(settings));
}

}  // namespace attune
