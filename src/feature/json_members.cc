#include "feature/json_members.h"

#include <algorithm>
#include <cstddef>

namespace attune {
namespace {

constexpr std::size_t kMostScalarBytes = 64;

void skip_blanks(std::string_view& text) {
  text.remove_prefix(std::min(text.find_first_not_of(" \t\r\n"), text.size()));
}

// The length of the text in quotes in front, quotes and all; all of it when it has no end.
std::size_t quoted_length(std::string_view text) {
  std::size_t at = 1;
  while (at < text.size() && text[at] != '"') at += text[at] == '\\' ? 2 : 1;
  return std::min(at + 1, text.size());
}

std::size_t nested_length(std::string_view text) {
  int depth = 0;
  for (std::size_t at = 0; at < text.size(); ++at) {
    const char c = text[at];
    if (c == '"') {
      at += quoted_length(text.substr(at)) - 1;
    } else if (c == '{' || c == '[') {
      ++depth;
    } else if ((c == '}' || c == ']') && --depth == 0) {
      return at + 1;
    }
  }
  return text.size();
}

}  // namespace

std::string_view take_json_value(std::string_view& text) {
  skip_blanks(text);
  if (text.empty()) return {};
  const char first = text.front();
  const std::size_t length = first == '"' ? quoted_length(text)
                             : first == '{' || first == '['
                                 ? nested_length(text)
                                 : std::min(text.find_first_of(" \t\r\n,]}"), text.size());
  const std::string_view value = text.substr(0, length);
  text.remove_prefix(length);
  return value;
}

bool take_json_char(std::string_view& text, char c) {
  skip_blanks(text);
  if (text.empty() || text.front() != c) return false;
  text.remove_prefix(1);
  return true;
}

std::string_view plain_scalar(std::string_view json) {
  if (json.size() >= 2 && json.front() == '"') {
    json = json.substr(1, json.size() - 2);
  } else if (json.empty() || json.front() == '{' || json.front() == '[' || json == "null") {
    return {};
  }
  return json.size() <= kMostScalarBytes ? json : std::string_view{};
}

}  // namespace attune
