// Config: every setting of the program as one row: key, field, range, unit, default, help. Each
// directory binds the fields of its own options; the rows give parsing, `attune config` and
// docs/reference/config.md. Later sources win: default, TOML file, environment, flag. One thread.
#pragma once
#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <type_traits>
#include <variant>
#include <vector>

#include "base/result.h"
#include "base/time.h"

namespace attune {

using ConfigTable = std::map<std::string, std::string>;
using ConfigValue =
    std::variant<bool, std::int64_t, double, std::string, std::vector<std::string>, ConfigTable>;

struct ConfigRange {
  double min = 0;
  double max = 0;
};

struct ConfigRow {
  std::string key;      // "server.threads"
  std::string type;     // "whole number", "number", "text", "true or false", "list", "table"
  std::string allowed;  // "[1, 64]", "debug, info, warn, error, off"; "" = anything
  std::string unit;     // "bytes", "s"; "" = none
  std::string help;
  std::string initial;  // the default as TOML
  std::string source;   // "default", "attune.toml line 4", "ATTUNE__SERVER__THREADS", "--threads"
  std::function<Status(const ConfigValue&)> set;  // an error says only what is wrong with the value
  std::function<ConfigValue()> get;
};

class Config {
 public:
  // The field must outlive the config. Its value when bound is the default.
  template <class T>
  void number(std::string_view key, T& field, ConfigRange range, std::string_view unit,
              std::string_view help) {
    add_number(key, range, unit, help,
               {.is_whole = std::is_integral_v<T>,
                .set = [&field](double v) { field = from_number<T>(v); },
                .get = [&field] { return to_number(field); }});
  }
  void flag(std::string_view key, bool& field, std::string_view help);
  void text(std::string_view key, std::string& field, std::string_view form, std::string_view help);
  void choice(std::string_view key, std::string& field, const std::vector<std::string>& choices,
              std::string_view help);
  // choices: the names of the enumerators 0, 1, 2 ...
  template <class E>
  requires std::is_enum_v<E>
  void choice(std::string_view key, E& field, const std::vector<std::string>& choices,
              std::string_view help) {
    add_choice(
        key, choices, help, [&field](std::size_t i) { field = static_cast<E>(i); },
        [&field] { return static_cast<std::size_t>(field); });
  }
  // choices: what a member may be.
  void list(std::string_view key, std::vector<std::string>& field,
            const std::vector<std::string>& choices, std::string_view help);
  // Names chosen by the user to one of the choices.
  void table(std::string_view key, ConfigTable& field, const std::vector<std::string>& choices,
             std::string_view help);

  Status load_file(const std::string& path);
  // "ATTUNE__SERVER__THREADS=2" sets server.threads; other variables are passed over.
  Status load_environment(const char* const* variables);
  // source: where the value comes from, for messages. Texts are read as the row's type.
  Status set(std::string_view key, const ConfigValue& value, std::string source);

  const std::vector<ConfigRow>& rows() const { return rows_; }
  const ConfigRow* find(std::string_view key) const;
  bool is_default(std::string_view key) const;
  Error unknown_key(std::string_view key, std::string_view source) const;
  std::string print_toml() const;          // every key with its value and source
  std::string print_json() const;          // {"section.key":{"value","source"}}
  std::string values_json() const;         // {"section.key":value}, sorted: what holds, no more
  std::string changed_json() const;        // the same, without what is a default
  std::string reference_markdown() const;  // every key with its meaning
  // kNotFound names the nearest key.
  Result<std::string> explain(std::string_view key) const;

 private:
  std::string values_json(bool with_defaults) const;
  template <class T>
  static T from_number(double v) {
    if constexpr (std::is_same_v<T, Duration>)
      return seconds(v);
    else
      return static_cast<T>(v);
  }
  template <class T>
  static double to_number(const T& field) {
    if constexpr (std::is_same_v<T, Duration>)
      return static_cast<double>(field.count()) / 1e6;
    else
      return static_cast<double>(field);
  }
  struct NumberField {
    bool is_whole = false;
    std::function<void(double)> set;
    std::function<double()> get;
  };
  void add_number(std::string_view key, ConfigRange range, std::string_view unit,
                  std::string_view help, NumberField field);
  void add_choice(std::string_view key, const std::vector<std::string>& choices,
                  std::string_view help, std::function<void(std::size_t)> set,
                  std::function<std::size_t()> get);
  ConfigRow& add(std::string_view key, std::string_view type, std::string_view allowed,
                 std::string_view unit, std::string_view help);
  void finish(ConfigRow& row, std::function<Status(const ConfigValue&)> set,
              std::function<ConfigValue()> get);

  std::vector<ConfigRow> rows_;
};

std::string toml_of(const ConfigValue& value);
std::string json_of(const ConfigValue& value);

// "512M", "2G", "1048576": bytes. Powers of 1024.
Result<std::uint64_t> parse_size(std::string_view text);

}  // namespace attune
