#include "base/zone_rule.h"

#include <algorithm>
#include <chrono>

namespace attune {
namespace {

namespace chrono = std::chrono;

// Takes pieces off the front of a text; what is not there makes it bad for good.
class RuleText {
 public:
  explicit RuleText(std::string_view text) : text_(text) {}
  bool is_good() const { return is_good_; }
  bool is_at_end() const { return text_.empty(); }
  bool take(char c) {
    if (text_.empty() || text_[0] != c) return false;
    text_.remove_prefix(1);
    return true;
  }
  void need(bool is_there) { is_good_ = is_good_ && is_there; }

  int number(int min, int max) {
    int value = 0;
    std::size_t digits = 0;
    for (; digits < std::min<std::size_t>(3, text_.size()) && is_digit(text_[digits]); ++digits) {
      value = value * 10 + (text_[digits] - '0');
    }
    text_.remove_prefix(digits);
    need(digits > 0 && value >= min && value <= max);
    return value;
  }

  // "CET" or "<+0330>"
  void name() {
    const bool is_quoted = take('<');
    std::size_t size = 0;
    while (size < text_.size() && (is_quoted ? text_[size] != '>' : is_letter(text_[size]))) ++size;
    text_.remove_prefix(size);
    need(size >= 3 && size <= 16);
    if (is_quoted) need(take('>'));
  }

  // [+-]hh[:mm[:ss]] in seconds
  int time() {
    const int sign = take('-') ? -1 : 1;
    if (sign > 0) take('+');
    int total = number(0, 167) * 3600;
    if (take(':')) total += number(0, 59) * 60;
    if (take(':')) total += number(0, 59);
    return sign * total;
  }

  // A time of at most 24 hours, as RFC 8536 has it. POSIX counts westward.
  int offset() {
    constexpr int kMost = 24 * 3600 + 3599;
    const int west = time();
    need(west >= -kMost && west <= kMost);
    return -west;
  }

  YearDay year_day() {
    YearDay at;
    if (take('M')) {
      at.month = number(1, 12);
      need(take('.'));
      at.week = number(1, 5);
      need(take('.'));
      at.day = number(0, 6);
    } else if (take('J')) {
      at.kind = YearDay::Kind::kJulian;
      at.day = number(1, 365);
    } else {
      at.kind = YearDay::Kind::kZeroBased;
      at.day = number(0, 365);
    }
    if (take('/')) at.time_s = time();
    return at;
  }

 private:
  static bool is_digit(char c) { return c >= '0' && c <= '9'; }
  static bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

  std::string_view text_;
  bool is_good_ = true;
};

chrono::sys_days day_of(const YearDay& at, int year) {
  const chrono::year y(year);
  if (at.kind == YearDay::Kind::kMonthWeekDay) {
    const auto month = y / chrono::month(static_cast<unsigned>(at.month));
    const chrono::weekday weekday(static_cast<unsigned>(at.day));
    return at.week == 5 ? chrono::sys_days(month / weekday[chrono::last])
                        : chrono::sys_days(month / weekday[static_cast<unsigned>(at.week)]);
  }
  const chrono::sys_days first = y / chrono::January / 1;
  if (at.kind == YearDay::Kind::kZeroBased) return first + chrono::days(at.day);
  // J60 is 1 March in every year.
  return first + chrono::days(at.day - 1 + (y.is_leap() && at.day >= 60 ? 1 : 0));
}

// Seconds since 1970 of the wall clock.
std::int64_t seconds_of(const YearDay& at, int year) {
  return chrono::sys_seconds(day_of(at, year)).time_since_epoch().count() + at.time_s;
}

}  // namespace

std::optional<ZoneRule> parse_zone_rule(std::string_view text) {
  RuleText reader(text);
  ZoneRule rule;
  reader.name();
  rule.standard_s = reader.offset();
  if (reader.is_good() && reader.is_at_end()) return rule;
  rule.has_summer = true;
  reader.name();
  reader.need(!reader.is_at_end());
  const bool says_offset = !reader.take(',');
  rule.summer_s = says_offset ? reader.offset() : rule.standard_s + 3600;
  if (says_offset) reader.need(reader.take(','));
  rule.begin = reader.year_day();
  reader.need(reader.take(','));
  rule.end = reader.year_day();
  if (!reader.is_good() || !reader.is_at_end()) return std::nullopt;
  return rule;
}

int offset_by(const ZoneRule& rule, std::int64_t at_s) {
  if (!rule.has_summer) return rule.standard_s;
  constexpr std::int64_t kYear9999 = 253'370'764'800;  // a calendar of the library ends at 32767
  at_s = std::clamp(at_s, -kYear9999 / 2, kYear9999);
  const chrono::sys_seconds there(chrono::seconds(at_s + rule.standard_s));
  const int year = int(chrono::year_month_day(chrono::floor<chrono::days>(there)).year());
  const std::int64_t begin = seconds_of(rule.begin, year) - rule.standard_s;
  const std::int64_t end = seconds_of(rule.end, year) - rule.summer_s;
  const bool is_summer =
      begin < end ? at_s >= begin && at_s < end : at_s >= begin || at_s < end;  // in the south
  return is_summer ? rule.summer_s : rule.standard_s;
}

}  // namespace attune
