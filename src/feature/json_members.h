// Members of a JSON object and elements of an array, from valid JSON text, as views of it: for the
// hot path, where a parser would cost more than the row. Of text that is not JSON it gives
// something or nothing, never a byte beyond its end. Pure; no allocation.
#pragma once
#include <string_view>

namespace attune {

// Takes the value in front of `text` off it: a text, number, word, object or array, blanks around
// it aside. Depth is counted, not nested in.
std::string_view take_json_value(std::string_view& text);
// Takes blanks and then `c` off; false, and nothing but blanks gone, when it is not there.
bool take_json_char(std::string_view& text, char c);

// A scalar without its quotes; "" for null, objects, arrays, "" and what is longer than 64 bytes.
// Escapes stay as they are.
std::string_view plain_scalar(std::string_view json);

// Calls take(key, value) for each member; the key without its quotes.
template <class Take>
void each_member(std::string_view object, const Take& take) {
  if (!take_json_char(object, '{')) return;
  while (!object.empty()) {
    std::string_view key = take_json_value(object);
    if (key.size() < 2 || key.front() != '"' || !take_json_char(object, ':')) return;
    take(key.substr(1, key.size() - 2), take_json_value(object));
    if (!take_json_char(object, ',')) return;
  }
}

// Calls take(value) for each element.
template <class Take>
void each_element(std::string_view array, const Take& take) {
  if (!take_json_char(array, '[')) return;
  while (!array.empty()) {
    const std::string_view value = take_json_value(array);
    if (value.empty()) return;
    take(value);
    if (!take_json_char(array, ',')) return;
  }
}

}  // namespace attune
