#include "base/toml.h"

#include <simdjson.h>

#include <sstream>
#include <toml.hpp>

namespace attune {
namespace {

const toml::value& inner(const std::shared_ptr<const void>& value) {
  return *static_cast<const toml::value*>(value.get());
}

// The first line that is not UTF-8, from 1; 0 = there is none.
std::size_t line_of_other_bytes(const std::string& text) {
  if (simdjson::validate_utf8(text)) return 0;
  std::size_t line = 1, begin = 0;
  for (std::size_t end; (end = text.find('\n', begin)) != std::string::npos; begin = end + 1) {
    if (!simdjson::validate_utf8(text.data() + begin, end - begin)) return line;
    ++line;
  }
  return line;
}

// part: of whole, which lives as long as it does.
TomlValue part_of(const std::shared_ptr<const void>& whole, const toml::value& part) {
  return TomlValue(std::shared_ptr<const void>(whole, &part));
}

}  // namespace

bool TomlValue::is_boolean() const { return inner(value_).is_boolean(); }
bool TomlValue::is_integer() const { return inner(value_).is_integer(); }
bool TomlValue::is_floating() const { return inner(value_).is_floating(); }
bool TomlValue::is_string() const { return inner(value_).is_string(); }
bool TomlValue::is_array() const { return inner(value_).is_array(); }
bool TomlValue::is_table() const { return inner(value_).is_table(); }

bool TomlValue::as_boolean() const { return inner(value_).as_boolean(); }
std::int64_t TomlValue::as_integer() const { return inner(value_).as_integer(); }
double TomlValue::as_floating() const { return inner(value_).as_floating(); }
const std::string& TomlValue::as_string() const { return inner(value_).as_string().str; }

std::vector<TomlValue> TomlValue::as_array() const {
  std::vector<TomlValue> members;
  for (const toml::value& member : inner(value_).as_array()) {
    members.push_back(part_of(value_, member));
  }
  return members;
}

std::vector<std::pair<std::string, TomlValue>> TomlValue::as_table() const {
  std::vector<std::pair<std::string, TomlValue>> members;
  for (const auto& [key, member] : inner(value_).as_table()) {
    members.emplace_back(key, part_of(value_, member));
  }
  return members;
}

std::optional<TomlValue> TomlValue::find(const std::string& key) const {
  const auto& table = inner(value_).as_table();
  const auto found = table.find(key);
  if (found == table.end()) return std::nullopt;
  return part_of(value_, found->second);
}

std::size_t TomlValue::line() const { return inner(value_).location().line(); }

std::optional<TomlValue> parse_toml(const std::string& text, const std::string& source,
                                    TomlFault& fault) {
  // The library reads beyond its input when it tells where a quoted text is not UTF-8.
  if (const std::size_t line = line_of_other_bytes(text)) {
    fault = {"line " + std::to_string(line) + " has bytes that are not UTF-8", line};
    return std::nullopt;
  }
  try {
    std::istringstream in(text);
    return TomlValue(std::make_shared<const toml::value>(toml::parse(in, source)));
  } catch (const toml::exception& error) {
    fault = {error.what(), error.location().line()};
  } catch (const std::exception& error) {
    fault = {error.what()};
  }
  return std::nullopt;
}

std::string toml_quoted(const std::string& text) { return toml::format(toml::value(text)); }

}  // namespace attune
