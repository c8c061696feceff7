#include "collect/column_quality.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>

#include "base/hash.h"

namespace attune {
namespace {

constexpr std::int64_t k2000 = 946'684'800'000'000;
constexpr std::size_t kOffsets = 5;

std::string_view trim(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

bool is_placeholder(std::string_view cell) {
  if (cell.size() > 7) return false;
  std::array<char, 8> lower{};
  for (std::size_t i = 0; i < cell.size(); ++i) {
    lower[i] = cell[i] >= 'A' && cell[i] <= 'Z' ? static_cast<char>(cell[i] + 32) : cell[i];
  }
  const std::string_view word(lower.data(), cell.size());
  for (const std::string_view one :
       {"na", "n/a", "#n/a", "null", "none", "nan", "?", "-", "unknown", "\\n", "nil"}) {
    if (word == one) return true;
  }
  return false;
}

// The text was UTF-8, was read as Latin-1 or Windows-1252 and written as UTF-8 again ("MÃ¼ller",
// "itâ€™s"), or lost characters (U+FFFD).
bool is_mojibake(std::string_view cell) {
  if (cell.find("\xef\xbf\xbd") != std::string_view::npos) return true;
  if (cell.find("\xc3\xa2\xe2\x82\xac") != std::string_view::npos) return true;
  for (std::size_t at = cell.find("\xc3\x83"); at != std::string_view::npos;
       at = cell.find("\xc3\x83", at + 1)) {
    const bool is_again = at + 3 < cell.size() && static_cast<unsigned char>(cell[at + 2]) == 0xc2;
    if (is_again && (static_cast<unsigned char>(cell[at + 3]) & 0xc0) == 0x80) return true;
  }
  return false;
}

bool begins_number(char c) { return (c >= '0' && c <= '9') || c == '-' || c == '+' || c == '.'; }

std::optional<double> number_in(std::string_view cell) {
  if (!begins_number(cell.front())) return std::nullopt;
  if (cell.front() == '+') cell.remove_prefix(1);
  double value = 0;
  const auto [end, error] = std::from_chars(cell.data(), cell.data() + cell.size(), value);
  const bool is_whole = error == std::errc() && end == cell.data() + cell.size();
  return is_whole && std::isfinite(value) ? std::optional(value) : std::nullopt;
}

}  // namespace

std::optional<Time> time_in_cell(std::string_view cell, std::string_view& offset) {
  offset = {};
  if (cell.size() < 10 || cell.size() > 40 || cell[4] != '-' || cell[7] != '-') return std::nullopt;
  if (const auto time = parse_iso8601(cell)) {
    const std::size_t at = cell.find_first_of("Zz+-", 10);
    if (at != std::string_view::npos) offset = cell.substr(at);
    return time;
  }
  std::array<char, 48> text{};
  std::copy(cell.begin(), cell.end(), text.begin());
  text[cell.size()] = 'Z';
  return parse_iso8601({text.data(), cell.size() + 1});
}

void ColumnQuality::add(std::string_view cell, std::uint64_t line, float label, Time now) {
  ++rows_;
  const std::string_view whole_cell = cell;
  cell = trim(cell);
  if (cell.empty()) return missing.add(line, whole_cell);
  if (cell.size() != whole_cell.size()) padded.add(line, whole_cell);
  count(cell, label);
  if (const auto number = number_in(cell)) return add_number(*number, line, label);
  if (add_time(cell, line, now)) return;
  add_text(cell, line);
}

void ColumnQuality::count(std::string_view cell, float label) {
  const std::uint64_t hash = hash64(cell);
  different_.add(hash);
  if (is_many_) return;
  const auto [at, is_new] = values_.try_emplace(hash);
  Value& value = at->second;
  if (is_new) value.text = cell.substr(0, 60);
  ++value.count;
  if (!std::isnan(label)) {
    ++value.labelled;
    value.positive += label > 0 ? 1 : 0;
  }
  if (values_.size() <= kMostValues) return;
  is_many_ = true;
  values_.clear();
}

void ColumnQuality::add_number(double value, std::uint64_t line, float label) {
  const QualityNumber one{value, line, label};
  numbers.add(one);
  if (value < least.value) least = one;
  if (value > most.value) most = one;
  negative += value < 0 ? 1 : 0;
  whole += value == std::floor(value) ? 1 : 0;
}

bool ColumnQuality::add_time(std::string_view cell, std::uint64_t line, Time now) {
  std::string_view offset;
  const auto time = time_in_cell(cell, offset);
  if (!time) return false;
  ++times;
  first = std::min(first, *time);
  last = std::max(last, *time);
  if (*time > now) future.add(line, cell);
  if (to_us(*time) < k2000) before_2000.add(line, cell);
  if (offset.empty()) {
    if (cell.size() > 10) first_unzoned.add(line, cell);
    ++unzoned;
    return true;
  }
  ++zoned;
  const bool is_known = std::find(offsets.begin(), offsets.end(), offset) != offsets.end();
  if (!is_known && offsets.size() < kOffsets) offsets.emplace_back(offset);
  return true;
}

void ColumnQuality::add_text(std::string_view cell, std::uint64_t line) {
  texts.add(line, cell);
  if (is_placeholder(cell)) placeholders.add(line, cell);
  const bool is_plain = std::all_of(cell.begin(), cell.end(), [](char c) { return c >= 0; });
  if (is_plain) return;
  ++not_ascii;
  if (is_mojibake(cell)) mojibake.add(line, cell);
}

}  // namespace attune
