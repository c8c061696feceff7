// TOML as it was written: values with the lines they are on. A thin face over toml11, whose headers
// cost most of the time of a file that includes them, and whose exceptions end here.
#pragma once
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace attune {

// Cheap to copy; holds the whole text it is part of. const calls only.
class TomlValue {
 public:
  explicit TomlValue(std::shared_ptr<const void> value) : value_(std::move(value)) {}

  bool is_boolean() const;
  bool is_integer() const;
  bool is_floating() const;
  bool is_string() const;
  bool is_array() const;
  bool is_table() const;

  // Each only of a value that is one.
  bool as_boolean() const;
  std::int64_t as_integer() const;
  double as_floating() const;
  const std::string& as_string() const;
  std::vector<TomlValue> as_array() const;
  std::vector<std::pair<std::string, TomlValue>> as_table() const;  // in no order
  std::optional<TomlValue> find(const std::string& key) const;      // of a table

  std::size_t line() const;  // from 1; counts from the beginning of the text, at each call

 private:
  std::shared_ptr<const void> value_;  // a toml::value
};

struct TomlFault {
  std::string what;      // several lines, with those of the text
  std::size_t line = 0;  // 0 = not known
};

// The table a text is. nullopt: it is no TOML, and the fault says why.
//   source: what the text is called in the fault
std::optional<TomlValue> parse_toml(const std::string& text, const std::string& source,
                                    TomlFault& fault);

// A text as TOML writes it, in quotes.
std::string toml_quoted(const std::string& text);

}  // namespace attune
