// Settings: what the folds of a workspace depend on besides its records. They are a record
// themselves at each start, so that a replay knows which ones applied when. Pure.
#pragma once
#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"

namespace attune {

enum class Clock : std::uint8_t { kWall, kEvent };

struct Settings {
  Clock clock = Clock::kWall;
  std::uint8_t denied_by_default = 0;  // purposes (profile.h), for persons who said nothing
};

std::string settings_json(const Settings& settings);
Result<Settings> parse_settings(std::string_view json);

}  // namespace attune
