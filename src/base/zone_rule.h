// ZoneRule: how a time zone goes on after the last change its file lists, as POSIX writes it:
// "CET-1CEST,M3.5.0,M10.5.0/3". Pure; safe to share.
#pragma once
#include <cstdint>
#include <optional>
#include <string_view>

namespace attune {

// A day of each year, and the time of the wall clock on it.
struct YearDay {
  enum class Kind { kJulian, kZeroBased, kMonthWeekDay };
  Kind kind = Kind::kMonthWeekDay;
  int day = 0;    // 1-365 without 29 February; 0-365; of the week, 0 = Sunday
  int week = 0;   // 1-5 of the month, 5 = the last
  int month = 0;  // 1-12
  int time_s = 2 * 3600;
};

struct ZoneRule {
  int standard_s = 0;  // east of Greenwich is positive
  int summer_s = 0;
  bool has_summer = false;
  YearDay begin, end;  // of summer
};

// nullopt when it is not one.
std::optional<ZoneRule> parse_zone_rule(std::string_view text);

// Offset from UTC at this second of UTC since 1970.
int offset_by(const ZoneRule& rule, std::int64_t at_s);

}  // namespace attune
