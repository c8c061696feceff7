#include "base/time_zone.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <fstream>

#include "base/nearest.h"

namespace attune {
namespace {

namespace chrono = std::chrono;
constexpr std::size_t kMostName = 64;
constexpr std::size_t kMostFile = 256 << 10;

bool is_zone_name(std::string_view name) {
  const auto is_plain = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '-' || c == '+' || c == '/';
  };
  return !name.empty() && name.size() <= kMostName && name[0] != '/' &&
         !name.starts_with("right/") && std::all_of(name.begin(), name.end(), is_plain);
}

std::string last_part(const std::string& name) { return name.substr(name.rfind('/') + 1); }

std::vector<std::string> known_zones(const std::string& folder) {
  namespace fs = std::filesystem;
  std::vector<std::string> names;
  std::error_code error;
  for (auto it = fs::recursive_directory_iterator(folder, error);
       !error && it != fs::recursive_directory_iterator(); it.increment(error)) {
    std::string name = it->path().string().substr(folder.size() + 1);
    if (it->is_directory()) {
      if (name == "posix" || name == "right") it.disable_recursion_pending();
    } else if (name.find('.') == std::string::npos && name[0] >= 'A' && name[0] <= 'Z') {
      names.push_back(std::move(name));
    }
  }
  std::sort(names.begin(), names.end());
  return names;
}

// "Berlin" means Europe/Berlin, and so does "europe/berlim".
std::string meant(std::string_view name, const std::string& folder) {
  const std::vector<std::string> names = known_zones(folder);
  std::string near = nearest(name, names);
  if (!near.empty() || name.find('/') != std::string_view::npos) return near;
  std::vector<std::string> cities;
  cities.reserve(names.size());
  for (const std::string& known : names) cities.push_back(last_part(known));
  const std::string city = nearest(name, cities);
  if (city.empty()) return {};
  return names[static_cast<std::size_t>(std::find(cities.begin(), cities.end(), city) -
                                        cities.begin())];
}

Error unknown_zone(std::string_view name, const std::string& folder) {
  const std::string near = meant(name.substr(0, kMostName), folder);
  return {Code::kInvalid, fmt::format("\"{}\" is not a time zone", name.substr(0, kMostName)),
          "time_zone",
          near.empty() ? "a name such as Europe/Berlin or UTC" : "did you mean " + near + "?"};
}

}  // namespace

int hour_of_day(LocalTime time) {
  return static_cast<int>(
      chrono::floor<chrono::hours>(time - chrono::floor<chrono::days>(time)).count());
}

int weekday_of(LocalTime time) {
  return static_cast<int>(chrono::weekday(chrono::floor<chrono::days>(time)).iso_encoding());
}

std::string format_day(LocalTime t) {
  const chrono::year_month_day date{chrono::floor<chrono::days>(t)};
  return fmt::format("{:04}-{:02}-{:02}", int(date.year()), unsigned(date.month()),
                     unsigned(date.day()));
}

Result<TimeZone> TimeZone::find(std::string_view name, const std::string& folder) {
  if (name == "UTC") return TimeZone();
  if (!std::filesystem::is_directory(folder)) {
    return Error{
        Code::kUnavailable,
        fmt::format("time zone {}: no time zones at {}", name.substr(0, kMostName), folder),
        "time_zone", "install the package tzdata, or use UTC"};
  }
  const std::string path = folder + "/" + std::string(name.substr(0, kMostName));
  if (!is_zone_name(name) || !std::filesystem::is_regular_file(path)) {
    return unknown_zone(name, folder);
  }
  std::ifstream in(path, std::ios::binary);
  std::string bytes(kMostFile, '\0');
  in.read(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  bytes.resize(static_cast<std::size_t>(in.gcount()));
  return parse(name, bytes);
}

chrono::seconds TimeZone::offset(Time time) const {
  const std::int64_t at_s = chrono::floor<chrono::seconds>(time).time_since_epoch().count();
  if (rule_ && (changes_.empty() || at_s >= changes_.back().at_s)) {
    return chrono::seconds(offset_by(*rule_, at_s));
  }
  const auto after = std::upper_bound(changes_.begin(), changes_.end(), at_s,
                                      [](std::int64_t s, const Change& c) { return s < c.at_s; });
  return chrono::seconds(after == changes_.begin() ? first_offset_s_ : (after - 1)->offset_s);
}

LocalTime TimeZone::local(Time time) const {
  // Nothing is there before and after; a damaged time must not overflow.
  constexpr auto kRoom = chrono::hours(48);
  time = std::clamp(time, Time::min() + kRoom, Time::max() - kRoom);
  return LocalTime(time.time_since_epoch() + offset(time));
}

Time TimeZone::utc(LocalTime time) const {
  // No zone is further than a day from UTC, nor changes twice within two days.
  constexpr auto kRoom = chrono::hours(72);
  const Time as_utc =
      std::clamp(Time(time.time_since_epoch()), Time::min() + kRoom, Time::max() - kRoom);
  const auto before = offset(as_utc - chrono::hours(26)),
             after = offset(as_utc + chrono::hours(26));
  const Time by_before = as_utc - before, by_after = as_utc - after;
  const bool is_before = offset(by_before) == before, is_after = offset(by_after) == after;
  if (is_before && is_after) return std::min(by_before, by_after);
  return is_after ? by_after : by_before;
}

Time TimeZone::day_begin(Time time) const {
  return utc(LocalTime(chrono::floor<chrono::days>(local(time))));
}

Time TimeZone::next_day_begin(Time time) const {
  auto day = chrono::floor<chrono::days>(local(time));
  Time next = time;
  // A day that the place left out begins when the one after it does.
  while (next <= time) next = utc(LocalTime(day += chrono::days(1)));
  return next;
}

}  // namespace attune
