#include "format/event_row.h"

#include <algorithm>
#include <charconv>

#include "base/hash.h"

namespace attune {
namespace {

constexpr std::size_t kDigestShown = 16;

void append_number(std::string& out, std::uint64_t number) {
  char text[20];
  const auto [end, error] = std::to_chars(text, text + sizeof text, number);
  out.append(text, error == std::errc() ? end : text);
}

}  // namespace

void anonymous_row_id(const std::string& digest, std::uint64_t row, std::string& out) {
  out.assign("row:");
  out.append(digest, 0, kDigestShown);
  out += ':';
  append_number(out, row);
}

std::string row_decision_id(const std::string& digest, std::uint64_t row, Time time) {
  constexpr std::string_view kDigits = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
  std::string out = "d_";
  auto ms = static_cast<std::uint64_t>(std::max<std::int64_t>(to_us(time) / 1000, 0));
  for (int shift = 45; shift >= 0; shift -= 5) out += kDigits[(ms >> shift) & 31U];
  std::uint64_t bits = hash64(digest, row);
  for (int i = 0; i < 16; ++i) {
    if (i == 8) bits = hash64(digest, row ^ 0x9e3779b97f4a7c15ULL);
    out += kDigits[bits & 31U];
    bits >>= 5;
  }
  return out;
}

Time synthetic_time(Time began, std::uint64_t n, Duration step) {
  const auto most = static_cast<std::uint64_t>(Duration(kSyntheticSpan) / step);
  return began - kSyntheticSpan + static_cast<std::int64_t>(std::min(n, most)) * step;
}

std::string_view wrong_id(std::string_view id) {
  if (is_valid_external_id(id)) return {};
  return id.empty() ? "is empty" : "must be 1 to 256 bytes of UTF-8 without control characters";
}

std::string_view wrong_time(Time time, Time now) {
  if (to_us(time) < 0) return "is before 1970";
  if (time > now + kFuture) return "is more than a day ahead of the clock";
  return {};
}

}  // namespace attune
