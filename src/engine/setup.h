// Setup: the settings that the meaning of later records depends on. A kOpen record says them; they
// hold from there on, so that a replay reads each record as it was meant.
#pragma once
#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"
#include "base/time_zone.h"
#include "engine/engine.h"

namespace attune {

struct Setup {
  Clock clock = Clock::kWall;
  std::uint8_t denied_by_default = 0;  // purposes
  // Of the days and hours that features and reports mean; never null.
  std::shared_ptr<const TimeZone> zone = std::make_shared<TimeZone>();
  bool is_drift_watched = false;  // since the program that began to; before it, never
  std::string settings_hash;      // of the effective settings as JSON; "" = never said
};

// settings: JSON, when it is to be journalled too; else "".
std::string encode_setup(const Setup& setup, std::string_view settings);
Result<Setup> decode_setup(std::string_view payload);

// What holds when the workspace is opened with these options after `before`. kInvalid, and
// kUnavailable without a tz database: see TimeZone::find.
Result<Setup> setup_of(const EngineOptions& options, const Setup& before);

}  // namespace attune
