// TimeZone: UTC to civil time of a place and back, by the tz database of the system (package
// tzdata, RFC 8536 files with the rule for years to come). Immutable; safe to share.
//   TRY(const TimeZone zone, TimeZone::find("Europe/Berlin"));
//   const int hour = hour_of_day(zone.local(time));
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "base/zone_rule.h"

namespace attune {

// What the clock on the wall shows. floor<std::chrono::days>() of it is the day.
using LocalTime = std::chrono::local_time<Duration>;
int hour_of_day(LocalTime time);      // 0-23
int weekday_of(LocalTime time);       // 1-7, Monday is 1 (ISO 8601)
std::string format_day(LocalTime t);  // "2026-11-25"

inline constexpr const char* kZoneFolder = "/usr/share/zoneinfo";

class TimeZone {
 public:
  TimeZone() = default;  // UTC
  // name: of the tz database, "Asia/Shanghai"; "UTC" needs no database. kInvalid names the zone
  // most likely meant; kUnavailable when there is no database. Reads a file: keep the result.
  static Result<TimeZone> find(std::string_view name, const std::string& folder = kZoneFolder);
  // bytes: of a TZif file. kCorrupt when they are not one.
  static Result<TimeZone> parse(std::string_view name, std::string_view bytes);

  const std::string& name() const { return name_; }
  // East of Greenwich is positive. O(log changes of the zone).
  std::chrono::seconds offset(Time time) const;
  LocalTime local(Time time) const;
  // The earlier of two, where clocks were put back; where they were put forward over it, as much
  // later as they were put forward: 02:30 becomes 03:30.
  Time utc(LocalTime time) const;
  // The first moment of its day there, which is not always midnight, and of the day after.
  Time day_begin(Time time) const;
  Time next_day_begin(Time time) const;

 private:
  struct Change {
    std::int64_t at_s = 0;  // of UTC, since 1970
    int offset_s = 0;
  };
  std::string name_ = "UTC";
  int first_offset_s_ = 0;        // before all changes
  std::vector<Change> changes_;   // rising
  std::optional<ZoneRule> rule_;  // after all changes
};

}  // namespace attune
