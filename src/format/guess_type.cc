#include "format/guess_type.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <string>

#include "base/time.h"

namespace attune {
namespace {

constexpr std::string_view kNames[] = {"number", "text", "time", "bool", "empty"};
constexpr std::size_t kLongestNumber = 64;

bool is_digit(char c) { return c >= '0' && c <= '9'; }

bool is_time(std::string_view text) {
  if (text.size() < 10 || text.size() > 40 || text[4] != '-' || !is_digit(text[0])) return false;
  if (parse_iso8601(text)) return true;
  return text.size() > 10 && parse_iso8601(std::string(text) + "Z").has_value();
}

bool is_word(std::string_view text, std::string_view word) {
  return text.size() == word.size() && std::equal(text.begin(), text.end(), word.begin(),
                                                  [](char a, char b) { return (a | 0x20) == b; });
}

}  // namespace

bool is_number(std::string_view text) {
  if (text.empty() || text.size() > kLongestNumber) return false;
  if (text[0] == '+') text.remove_prefix(1);
  const std::string_view digits = text.substr(text.starts_with('-') ? 1 : 0);
  if (digits.empty() || (!is_digit(digits[0]) && digits[0] != '.')) return false;
  if (digits.size() > 1 && digits[0] == '0' && is_digit(digits[1])) return false;
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc() && end == text.data() + text.size() && std::isfinite(value);
}

ColumnType type_of(std::string_view cell) {
  if (cell.empty()) return ColumnType::kEmpty;
  if (is_number(cell)) return ColumnType::kNumber;
  if (is_time(cell)) return ColumnType::kTime;
  for (const std::string_view word : {"true", "false", "yes", "no"}) {
    if (is_word(cell, word)) return ColumnType::kBool;
  }
  return ColumnType::kText;
}

std::string_view type_name(ColumnType type) { return kNames[static_cast<std::size_t>(type)]; }

ColumnType TypeVote::type() const {
  std::size_t all = 0;
  for (const ColumnType type :
       {ColumnType::kNumber, ColumnType::kText, ColumnType::kTime, ColumnType::kBool}) {
    all += counts_[static_cast<std::size_t>(type)];
  }
  if (all == 0) return ColumnType::kEmpty;
  for (const ColumnType type : {ColumnType::kNumber, ColumnType::kTime, ColumnType::kBool}) {
    if (counts_[static_cast<std::size_t>(type)] * 20 >= all * 19) return type;
  }
  return ColumnType::kText;
}

}  // namespace attune
