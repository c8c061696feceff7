#include "base/time.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

namespace attune {
namespace {

// Takes exactly `width` digits off the front of `text`; nullopt if they are not there.
std::optional<int> take_digits(std::string_view& text, std::size_t width) {
  int value = 0;
  if (text.size() < width) return std::nullopt;
  const auto [end, error] = std::from_chars(text.data(), text.data() + width, value);
  if (error != std::errc() || end != text.data() + width || text[0] == '-') return std::nullopt;
  text.remove_prefix(width);
  return value;
}

bool take(std::string_view& text, char expected) {
  if (text.empty() || text[0] != expected) return false;
  text.remove_prefix(1);
  return true;
}

std::int64_t take_fraction_us(std::string_view& text) {
  std::int64_t us = 0;
  std::int64_t unit = 100'000;
  while (!text.empty() && text[0] >= '0' && text[0] <= '9') {
    us += (text[0] - '0') * unit;
    unit /= 10;
    text.remove_prefix(1);
  }
  return us;
}

// "Z" or "+hh:mm" or "-hhmm", whole rest of the text.
std::optional<Duration> take_offset(std::string_view text) {
  if (text == "Z" || text == "z") return Duration(0);
  if (text.empty() || (text[0] != '+' && text[0] != '-')) return std::nullopt;
  const int sign = text[0] == '-' ? -1 : 1;
  text.remove_prefix(1);
  const auto hours = take_digits(text, 2);
  take(text, ':');
  const auto minutes = take_digits(text, 2);
  if (!hours || !minutes || !text.empty() || *hours > 14 || *minutes > 59) return std::nullopt;
  return sign * (std::chrono::hours(*hours) + std::chrono::minutes(*minutes));
}

}  // namespace

std::optional<Time> parse_iso8601(std::string_view text) {
  using namespace std::chrono;
  const auto y = take_digits(text, 4);
  if (!y || !take(text, '-')) return std::nullopt;
  const auto m = take_digits(text, 2);
  if (!m || !take(text, '-')) return std::nullopt;
  const auto d = take_digits(text, 2);
  if (!d) return std::nullopt;
  const year_month_day date{year(*y), month(static_cast<unsigned>(*m)),
                            day(static_cast<unsigned>(*d))};
  if (!date.ok()) return std::nullopt;
  Time time = sys_days(date);
  if (text.empty()) return time;
  if (!take(text, 'T') && !take(text, ' ')) return std::nullopt;
  const auto h = take_digits(text, 2);
  if (!h || *h > 23 || !take(text, ':')) return std::nullopt;
  const auto min = take_digits(text, 2);
  if (!min || *min > 59) return std::nullopt;
  time += hours(*h) + minutes(*min);
  if (take(text, ':')) {
    const auto s = take_digits(text, 2);
    if (!s || *s > 60) return std::nullopt;
    time += std::chrono::seconds(*s);
    if (take(text, '.')) time += microseconds(take_fraction_us(text));
  }
  const auto offset = take_offset(text);
  if (!offset) return std::nullopt;
  return time - *offset;
}

std::string format_iso8601(Time time) {
  using namespace std::chrono;
  // The first day of the range begins before it: a damaged time must not overflow.
  time = std::max(time, Time::min() + Duration(days(1)));
  const auto day_start = floor<days>(time);
  const year_month_day date{day_start};
  const auto ms = floor<milliseconds>(time - day_start).count();
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:03}Z", int(date.year()),
                     unsigned(date.month()), unsigned(date.day()), ms / 3'600'000, ms / 60'000 % 60,
                     ms / 1000 % 60, ms % 1000);
}

}  // namespace attune
