// Time: microseconds since 1970, UTC. Below `engine` nobody reads a clock: time is passed in.
#pragma once
#include <chrono>
#include <optional>
#include <string>
#include <string_view>

namespace attune {

using Duration = std::chrono::microseconds;
using Time = std::chrono::sys_time<Duration>;

constexpr Time time_from_us(std::int64_t us) { return Time(Duration(us)); }
constexpr std::int64_t to_us(Time time) { return time.time_since_epoch().count(); }
constexpr Duration seconds(double s) { return Duration(static_cast<std::int64_t>(s * 1e6)); }

// ISO-8601 with Z or an offset, "2026-11-02T10:11:12.345Z"; nullopt when it is not one.
std::optional<Time> parse_iso8601(std::string_view text);
// Always UTC, milliseconds: "2026-11-02T10:11:12.345Z".
std::string format_iso8601(Time time);

}  // namespace attune
