#include "base/time_zone.h"

#include "fuzz.h"

namespace attune {

// A TZif file, and its last line alone.
void fuzz_one(std::string_view input) {
  (void)parse_zone_rule(input);
  const auto zone = TimeZone::parse("fuzz", input);
  if (!zone.ok()) return;
  constexpr std::int64_t kYear_us = 31'556'952'000'000;
  for (std::int64_t year = -200; year < 400; ++year) {
    const Time time = time_from_us(year * kYear_us);
    CHECK(zone->day_begin(time) <= time + std::chrono::hours(52));
    (void)zone->utc(zone->local(time));
  }
  (void)zone->local(Time::min());
  (void)zone->utc(zone->local(Time::max()));
}

}  // namespace attune
