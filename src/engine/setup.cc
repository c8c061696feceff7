#include "engine/setup.h"

#include <simdjson.h>

#include "base/json.h"
#include "engine/options.h"

namespace attune {

std::string encode_setup(const Setup& setup, std::string_view settings) {
  std::string out;
  JsonWriter json(out);
  json.begin_object().field("clock", setup.clock == Clock::kEvent ? "event" : "wall");
  json.field("denied_by_default", static_cast<std::uint64_t>(setup.denied_by_default));
  json.field("is_drift_watched", setup.is_drift_watched);
  json.field("time_zone", setup.zone->name()).field("settings_hash", setup.settings_hash);
  if (!settings.empty()) json.key("settings").raw(settings);
  json.end_object();
  return out;
}

Result<Setup> decode_setup(std::string_view payload) {
  simdjson::dom::parser parser;
  simdjson::dom::object object;
  std::string_view clock, hash, zone_name;
  std::uint64_t denied = 0;
  const simdjson::padded_string padded(payload);
  if (parser.parse(padded).get(object) != simdjson::SUCCESS ||
      object["clock"].get(clock) != simdjson::SUCCESS ||
      object["denied_by_default"].get(denied) != simdjson::SUCCESS || denied > 0xff) {
    return Error{Code::kCorrupt, "an open record of the journal holds no settings", "",
                 "restore the workspace from a backup"};
  }
  // The first had none of them.
  bool is_drift_watched = false;
  if (object["is_drift_watched"].get(is_drift_watched) != simdjson::SUCCESS) {
    is_drift_watched = false;
  }
  if (object["settings_hash"].get(hash) != simdjson::SUCCESS) hash = {};
  if (object["time_zone"].get(zone_name) != simdjson::SUCCESS) zone_name = "UTC";
  TRY(TimeZone zone, TimeZone::find(zone_name));
  return Setup{.clock = clock == "event" ? Clock::kEvent : Clock::kWall,
               .denied_by_default = static_cast<std::uint8_t>(denied),
               .zone = std::make_shared<TimeZone>(std::move(zone)),
               .is_drift_watched = is_drift_watched,
               .settings_hash = std::string(hash)};
}

Result<Setup> setup_of(const EngineOptions& options, const Setup& before) {
  Setup setup = before;
  setup.is_drift_watched = true;
  if (options.clock != Clock::kAsBefore) setup.clock = options.clock;
  setup.denied_by_default = options.denied_by_default.value_or(before.denied_by_default);
  if (!options.time_zone.empty()) {
    TRY(TimeZone zone, TimeZone::find(options.time_zone));
    setup.zone = std::make_shared<TimeZone>(std::move(zone));
  }
  if (!options.settings.empty()) setup.settings_hash = settings_hash(options.settings);
  return setup;
}

}  // namespace attune
