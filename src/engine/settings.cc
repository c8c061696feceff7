#include "engine/settings.h"

#include <simdjson.h>

#include "base/json.h"

namespace attune {

std::string settings_json(const Settings& settings) {
  std::string out;
  JsonWriter(out)
      .begin_object()
      .field("clock", settings.clock == Clock::kWall ? "wall" : "event")
      .field("denied_by_default", static_cast<std::uint64_t>(settings.denied_by_default))
      .end_object();
  return out;
}

Result<Settings> parse_settings(std::string_view json) {
  simdjson::dom::parser parser;
  simdjson::dom::element root;
  std::string_view clock;
  std::uint64_t denied = 0;
  const simdjson::padded_string padded(json);
  if (parser.parse(padded).get(root) || root["clock"].get(clock) ||
      root["denied_by_default"].get(denied) || denied > 0xff) {
    return Error{Code::kCorrupt, "the record of a start makes no sense: " + std::string(json)};
  }
  return Settings{clock == "event" ? Clock::kEvent : Clock::kWall,
                  static_cast<std::uint8_t>(denied)};
}

}  // namespace attune
