#include "format/row_time.h"

#include <charconv>
#include <cmath>

namespace attune {
namespace {

// So many digits at `at`; -1 when they are none.
int digits(std::string_view text, std::size_t at, std::size_t count) {
  if (at + count > text.size()) return -1;
  int value = 0;
  for (std::size_t i = at; i < at + count; ++i) {
    if (text[i] < '0' || text[i] > '9') return -1;
    value = value * 10 + (text[i] - '0');
  }
  return value;
}

// Days since 1970; nullopt when there is no such day.
std::optional<std::int64_t> date_of(std::string_view text) {
  const int year = digits(text, 0, 4), month = digits(text, 5, 2), day = digits(text, 8, 2);
  if (year < 0 || month < 1 || day < 1) return std::nullopt;
  if ((text[4] != '-' && text[4] != '/') || text[7] != text[4]) return std::nullopt;
  const std::chrono::year_month_day date{std::chrono::year(year),
                                         std::chrono::month(static_cast<unsigned>(month)),
                                         std::chrono::day(static_cast<unsigned>(day))};
  if (!date.ok()) return std::nullopt;
  return std::chrono::sys_days(date).time_since_epoch().count();
}

// "12:13:14" and up to nine places, from `text`'s start, which is cut to what follows.
std::optional<std::int64_t> clock_us(std::string_view& text) {
  const int hour = digits(text, 0, 2), minute = digits(text, 3, 2);
  if (hour < 0 || hour > 23 || minute < 0 || minute > 59 || text[2] != ':') return std::nullopt;
  std::int64_t us = (hour * 60LL + minute) * 60'000'000;
  text.remove_prefix(5);
  if (text.empty() || text[0] != ':') return us;
  const int second = digits(text, 1, 2);
  if (second < 0 || second > 60) return std::nullopt;
  us += second * 1'000'000LL;
  text.remove_prefix(3);
  if (text.empty() || (text[0] != '.' && text[0] != ',')) return us;
  std::int64_t unit = 100'000;
  std::size_t i = 1;
  for (; i < text.size() && text[i] >= '0' && text[i] <= '9' && i < 10; ++i, unit /= 10) {
    us += (text[i] - '0') * unit;
  }
  if (i == 1) return std::nullopt;
  text.remove_prefix(i);
  return us;
}

// "Z", "+01:00", "+0100", "" = UTC.
std::optional<std::int64_t> zone_us(std::string_view text) {
  if (text.empty() || text == "Z" || text == "z" || text == " UTC") return 0;
  if (text[0] != '+' && text[0] != '-') return std::nullopt;
  const bool has_colon = text.size() == 6 && text[3] == ':';
  if (!has_colon && text.size() != 5) return std::nullopt;
  const int hour = digits(text, 1, 2), minute = digits(text, has_colon ? 4 : 3, 2);
  if (hour < 0 || hour > 23 || minute < 0 || minute > 59) return std::nullopt;
  const std::int64_t us = (hour * 60LL + minute) * 60'000'000;
  return text[0] == '-' ? -us : us;
}

constexpr std::int64_t kDayUs = 86'400'000'000;

std::optional<Time> parse_text(std::string_view text, bool is_date_only) {
  if (text.size() < 10) return std::nullopt;
  const auto days = date_of(text);
  if (!days) return std::nullopt;
  if (text.size() == 10) return time_from_us(*days * kDayUs);
  if (is_date_only || (text[10] != 'T' && text[10] != ' ') || text.size() < 16) {
    return std::nullopt;
  }
  text.remove_prefix(11);
  const auto clock = clock_us(text);
  if (!clock) return std::nullopt;
  const auto zone = zone_us(text);
  if (!zone) return std::nullopt;
  return time_from_us(*days * kDayUs + *clock - *zone);
}

constexpr double kMostUs = 8e18;  // within the range of a time

std::optional<Time> parse_number(std::string_view text, double unit_us) {
  double number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  if (unit_us == 0) {  // by its size: seconds until the year 5138
    unit_us = std::abs(number) < 1e11 ? 1e6 : std::abs(number) < 1e14 ? 1e3 : 1;
  }
  const double us = number * unit_us;
  if (!(std::abs(us) < kMostUs)) return std::nullopt;
  return time_from_us(std::llround(us));
}

}  // namespace

std::optional<Time> parse_row_time(std::string_view text, TimeFormat format) {
  while (!text.empty() && text.front() == ' ') text.remove_prefix(1);
  while (!text.empty() && text.back() == ' ') text.remove_suffix(1);
  switch (format) {
    case TimeFormat::kSeconds:
      return parse_number(text, 1e6);
    case TimeFormat::kMilliseconds:
      return parse_number(text, 1e3);
    case TimeFormat::kMicroseconds:
      return parse_number(text, 1);
    case TimeFormat::kIso:
      return parse_text(text, false);
    case TimeFormat::kDate:
      return parse_text(text, true);
    case TimeFormat::kAuto:
      break;
  }
  const bool is_text = text.size() >= 10 && (text[4] == '-' || text[4] == '/');
  return is_text ? parse_text(text, false) : parse_number(text, 0);
}

}  // namespace attune
