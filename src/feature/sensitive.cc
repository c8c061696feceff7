#include "feature/sensitive.h"

#include <algorithm>

namespace attune {
namespace {

bool is_upper(char c) { return c >= 'A' && c <= 'Z'; }
bool is_lower(char c) { return c >= 'a' && c <= 'z'; }
bool is_part(char c) {
  return is_upper(c) || is_lower(c) || (c >= '0' && c <= '9') ||
         (static_cast<unsigned char>(c) & 0x80) != 0;
}

// Whether `part` stands in `whole`, both words parted by spaces.
bool holds_words(std::string_view whole, std::string_view part) {
  for (std::size_t at = whole.find(part); at != std::string_view::npos;
       at = whole.find(part, at + 1)) {
    const std::size_t end = at + part.size();
    if ((at == 0 || whole[at - 1] == ' ') && (end == whole.size() || whole[end] == ' '))
      return true;
  }
  return false;
}

}  // namespace

std::string words_of_name(std::string_view name) {
  std::string words;
  bool is_open = false;
  for (std::size_t i = 0; i < name.size(); ++i) {
    const char c = name[i];
    if (!is_part(c)) {
      is_open = false;
      continue;
    }
    const bool is_hump = is_upper(c) && i > 0 && is_lower(name[i - 1]);
    if ((!is_open || is_hump) && !words.empty()) words += ' ';
    is_open = true;
    words += is_upper(c) ? static_cast<char>(c - 'A' + 'a') : c;
  }
  return words;
}

std::string_view Sensitive::match(std::string_view name) const {
  if (names.empty()) return {};
  const std::string words = words_of_name(name);
  if (std::find(allow.begin(), allow.end(), words) != allow.end()) return {};
  for (const std::string& one : names) {
    if (holds_words(words, one)) return one;
  }
  return {};
}

const std::vector<std::string>& usual_sensitive_names() {
  static const std::vector<std::string> names = [] {
    std::vector<std::string> list = {
        "biometric",   "belief",      "beliefs",   "caste",      "diagnosis",   "disability",
        "disabled",    "disease",     "ethnic",    "ethnicity",  "faith",       "gender",
        "genetic",     "health",      "hiv",       "medical",    "political",   "politics",
        "pregnancy",   "pregnant",    "race",      "racial",     "religion",    "religious",
        "sex",         "sexual",      "sexuality", "skin color", "skin colour", "trade union",
        "transgender", "union member"};
    std::sort(list.begin(), list.end());
    return list;
  }();
  return names;
}

}  // namespace attune
