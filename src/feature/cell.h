// Cells of a table as numbers, tokens and times. Pure; no allocation.
#pragma once
#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <optional>
#include <string_view>

#include "base/time.h"

namespace attune {

constexpr std::string_view trimmed(std::string_view text) {
  constexpr std::string_view kBlank = " \t\r\n";
  const std::size_t first = text.find_first_not_of(kBlank);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(kBlank) - first + 1);
}

// The whole cell, blanks around it aside; nullopt when it is no number, or not a finite one.
inline std::optional<double> number_of(std::string_view cell) {
  cell = trimmed(cell);
  if (!cell.empty() && cell.front() == '+') cell.remove_prefix(1);
  double number = 0;
  const auto [end, error] = std::from_chars(cell.data(), cell.data() + cell.size(), number);
  if (cell.empty() || error != std::errc() || end != cell.data() + cell.size()) return std::nullopt;
  return std::isfinite(number) ? std::optional(number) : std::nullopt;
}

// Calls take(token) for each token of a list, "a,b c" or ["a","b"], without empty ones, blanks and
// quotes around them. separator: "" = any of space, tab, comma, semicolon, bar.
template <class Take>
void each_token(std::string_view cell, std::string_view separator, const Take& take) {
  cell = trimmed(cell);
  if (cell.size() >= 2 && cell.front() == '[' && cell.back() == ']') {
    cell = cell.substr(1, cell.size() - 2);
  }
  const std::size_t width = separator.empty() ? 1 : separator.size();
  while (!cell.empty()) {
    const std::size_t end = separator.empty() ? cell.find_first_of(" \t,;|") : cell.find(separator);
    std::string_view token = trimmed(cell.substr(0, end));
    if (token.size() >= 2 && token.front() == '"' && token.back() == '"') {
      token = token.substr(1, token.size() - 2);
    }
    if (!token.empty()) take(token);
    if (end == std::string_view::npos) return;
    cell.remove_prefix(end + width);
  }
}

// ISO-8601 (UTC when it has no offset), or seconds, milliseconds or microseconds since 1970 (told
// by their size).
inline std::optional<Time> time_of(std::string_view cell) {
  cell = trimmed(cell);
  if (const auto time = parse_iso8601(cell)) return time;
  std::array<char, 40> text{};
  if (cell.size() > 10 && cell.size() < text.size() && cell[4] == '-') {
    std::copy(cell.begin(), cell.end(), text.begin());
    text[cell.size()] = 'Z';
    return parse_iso8601({text.data(), cell.size() + 1});
  }
  const auto number = number_of(cell);
  if (!number || *number < 1e8 || *number >= 1e16) return std::nullopt;
  const double us = *number < 1e11 ? *number * 1e6 : *number < 1e14 ? *number * 1e3 : *number;
  return time_from_us(static_cast<std::int64_t>(us));
}

}  // namespace attune
