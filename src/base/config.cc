#include "base/config.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>

#include "base/json.h"
#include "base/nearest.h"

namespace attune {
namespace {

Error wrong(std::string message) { return {Code::kInvalid, std::move(message), "", ""}; }

std::string join(const std::vector<std::string>& words) {
  return fmt::format("{}", fmt::join(words, ", "));
}

std::string quoted(std::string_view text) {
  std::string out;
  append_json_string(out, text);  // a TOML basic string is written the same
  return out;
}

std::vector<std::string> split(std::string_view text) {
  std::vector<std::string> parts;
  while (!text.empty()) {
    const auto comma = std::min(text.find(','), text.size());
    if (comma > 0) parts.emplace_back(text.substr(0, comma));
    text.remove_prefix(std::min(comma + 1, text.size()));
  }
  return parts;
}

Status check_choice(std::string_view word, const std::vector<std::string>& choices) {
  if (choices.empty() || std::find(choices.begin(), choices.end(), word) != choices.end()) {
    return ok_status();
  }
  return wrong(fmt::format("is {}, must be one of {}", quoted(word), join(choices)));
}

std::string shown(const ConfigValue& value) {
  if (const auto* text = std::get_if<std::string>(&value)) return quoted(*text);
  if (const auto* flag = std::get_if<bool>(&value)) return *flag ? "true" : "false";
  return "a list or table";
}

Result<double> as_number(const ConfigValue& value, bool is_bytes) {
  if (const auto* whole = std::get_if<std::int64_t>(&value)) return static_cast<double>(*whole);
  if (const auto* real = std::get_if<double>(&value)) return *real;
  const auto* text = std::get_if<std::string>(&value);
  if (!text) return wrong(fmt::format("is {}, must be a number", shown(value)));
  if (is_bytes) {
    TRY(const std::uint64_t bytes, parse_size(*text));
    return static_cast<double>(bytes);
  }
  double number = 0;
  const auto [end, error] = std::from_chars(text->data(), text->data() + text->size(), number);
  if (error == std::errc() && end == text->data() + text->size()) return number;
  return wrong(fmt::format("is {}, must be a number", quoted(*text)));
}

std::string number_text(double number, bool is_whole) {
  // Infinite and huge numbers fit no integer: a TOML file may say them.
  const bool fits = is_whole && std::abs(number) < 9e18;
  return fits ? fmt::format("{}", static_cast<std::int64_t>(number)) : fmt::format("{}", number);
}

}  // namespace

Result<std::uint64_t> parse_size(std::string_view text) {
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  const std::string_view unit = text.substr(static_cast<std::size_t>(end - text.data()));
  int shift = -1;
  if (unit.empty() || unit == "B") shift = 0;
  if (unit == "K" || unit == "KiB") shift = 10;
  if (unit == "M" || unit == "MiB") shift = 20;
  if (unit == "G" || unit == "GiB") shift = 30;
  if (error == std::errc() && shift >= 0 && number <= (std::uint64_t{1} << 62) >> shift) {
    return number << shift;
  }
  return wrong(fmt::format("is {}, must be a number of bytes such as 512M or 2G", quoted(text)));
}

ConfigRow& Config::add(std::string_view key, std::string_view type, std::string_view allowed,
                       std::string_view unit, std::string_view help) {
  rows_.push_back({.key = std::string(key),
                   .type = std::string(type),
                   .allowed = std::string(allowed),
                   .unit = std::string(unit),
                   .help = std::string(help),
                   .initial = {},
                   .source = "default",
                   .set = nullptr,
                   .get = nullptr});
  return rows_.back();
}

void Config::finish(ConfigRow& row, std::function<Status(const ConfigValue&)> set,
                    std::function<ConfigValue()> get) {
  row.set = std::move(set);
  row.get = std::move(get);
  row.initial = toml_of(row.get());
}

void Config::add_number(std::string_view key, ConfigRange range, std::string_view unit,
                        std::string_view help, NumberField field) {
  const bool is_whole = field.is_whole;
  const std::string allowed =
      fmt::format("[{}, {}]", number_text(range.min, is_whole), number_text(range.max, is_whole));
  ConfigRow& row = add(key, is_whole ? "whole number" : "number", allowed, unit, help);
  const bool is_bytes = row.unit == "bytes";
  finish(
      row,
      [=, set = std::move(field.set)](const ConfigValue& value) -> Status {
        TRY(const double number, as_number(value, is_bytes));
        if (is_whole && number != std::floor(number)) {
          return wrong(fmt::format("is {}, must be a whole number", number));
        }
        if (!(number >= range.min && number <= range.max)) {
          return wrong(fmt::format("is {}, must be in {}", number_text(number, is_whole), allowed));
        }
        set(number);
        return ok_status();
      },
      [=, get = std::move(field.get)]() -> ConfigValue {
        if (is_whole) return static_cast<std::int64_t>(get());
        return get();
      });
}

void Config::flag(std::string_view key, bool& field, std::string_view help) {
  finish(
      add(key, "true or false", "", "", help),
      [&field](const ConfigValue& value) -> Status {
        const auto* text = std::get_if<std::string>(&value);
        const auto* flag = std::get_if<bool>(&value);
        if (!flag && !(text && (*text == "true" || *text == "false"))) {
          return wrong("must be true or false");
        }
        field = flag ? *flag : *text == "true";
        return ok_status();
      },
      [&field] { return ConfigValue(field); });
}

void Config::text(std::string_view key, std::string& field, std::string_view form,
                  std::string_view help) {
  finish(
      add(key, "text", form, "", help),
      [&field](const ConfigValue& value) -> Status {
        const auto* text = std::get_if<std::string>(&value);
        if (!text) return wrong("must be a text in quotes");
        field = *text;
        return ok_status();
      },
      [&field] { return ConfigValue(field); });
}

void Config::add_choice(std::string_view key, const std::vector<std::string>& choices,
                        std::string_view help, std::function<void(std::size_t)> set,
                        std::function<std::size_t()> get) {
  finish(
      add(key, "text", join(choices), "", help),
      [choices, set = std::move(set)](const ConfigValue& value) -> Status {
        const auto* text = std::get_if<std::string>(&value);
        if (!text) return wrong("must be one of " + join(choices));
        TRY_OK(check_choice(*text, choices));
        set(static_cast<std::size_t>(std::find(choices.begin(), choices.end(), *text) -
                                     choices.begin()));
        return ok_status();
      },
      [choices, get = std::move(get)] { return ConfigValue(choices.at(get())); });
}

void Config::choice(std::string_view key, std::string& field,
                    const std::vector<std::string>& choices, std::string_view help) {
  finish(
      add(key, "text", join(choices), "", help),
      [&field, choices](const ConfigValue& value) -> Status {
        const auto* text = std::get_if<std::string>(&value);
        if (!text) return wrong("must be one of " + join(choices));
        TRY_OK(check_choice(*text, choices));
        field = *text;
        return ok_status();
      },
      [&field] { return ConfigValue(field); });
}

void Config::list(std::string_view key, std::vector<std::string>& field,
                  const std::vector<std::string>& choices, std::string_view help) {
  finish(
      add(key, "list", choices.empty() ? "" : "any of " + join(choices), "", help),
      [&field, choices](const ConfigValue& value) -> Status {
        const auto* text = std::get_if<std::string>(&value);
        const auto* members = std::get_if<std::vector<std::string>>(&value);
        if (!text && !members) return wrong("must be a list of texts");
        const auto wanted = members ? *members : split(*text);
        for (const std::string& member : wanted) TRY_OK(check_choice(member, choices));
        field = wanted;
        return ok_status();
      },
      [&field] { return ConfigValue(field); });
}

void Config::table(std::string_view key, ConfigTable& field,
                   const std::vector<std::string>& choices, std::string_view help) {
  finish(
      add(key, "table", choices.empty() ? "" : "values: " + join(choices), "", help),
      [&field, choices](const ConfigValue& value) -> Status {
        ConfigTable wanted;
        if (const auto* text = std::get_if<std::string>(&value)) {
          for (const std::string& pair : split(*text)) {
            const auto equals = pair.find('=');
            if (equals == std::string::npos) return wrong("must be NAME=VALUE,NAME=VALUE");
            wanted[pair.substr(0, equals)] = pair.substr(equals + 1);
          }
        } else if (const auto* pairs = std::get_if<ConfigTable>(&value)) {
          wanted = *pairs;
        } else {
          return wrong("must be a table of texts");
        }
        for (const auto& [name, member] : wanted) TRY_OK(check_choice(member, choices));
        field = std::move(wanted);
        return ok_status();
      },
      [&field] { return ConfigValue(field); });
}

const ConfigRow* Config::find(std::string_view key) const {
  const auto row =
      std::find_if(rows_.begin(), rows_.end(), [key](const ConfigRow& r) { return r.key == key; });
  return row == rows_.end() ? nullptr : &*row;
}

bool Config::is_default(std::string_view key) const {
  const ConfigRow* row = find(key);
  return !row || row->source == "default";
}

Error Config::unknown_key(std::string_view key, std::string_view source) const {
  std::vector<std::string> keys;
  for (const ConfigRow& row : rows_) keys.push_back(row.key);
  const std::string near = nearest(key, keys);
  return {Code::kInvalid, fmt::format("{}: unknown key {}", source, key), std::string(key),
          near.empty() ? "attune config print shows every key" : "did you mean " + near + "?"};
}

Status Config::set(std::string_view key, const ConfigValue& value, std::string source) {
  const auto row =
      std::find_if(rows_.begin(), rows_.end(), [key](const ConfigRow& r) { return r.key == key; });
  if (row == rows_.end()) return unknown_key(key, source);
  if (const Status done = row->set(value); !done.ok()) {
    return Error{Code::kInvalid, fmt::format("{}: {} {}", source, key, done.error().message),
                 std::string(key), fmt::format("attune config explain {}", key)};
  }
  row->source = std::move(source);
  return ok_status();
}

Status Config::load_environment(const char* const* variables) {
  constexpr std::string_view kPrefix = "ATTUNE__";
  for (; *variables; ++variables) {
    const std::string_view variable = *variables;
    const auto equals = variable.find('=');
    if (!variable.starts_with(kPrefix) || equals == std::string_view::npos) continue;
    const std::string name(variable.substr(0, equals));
    std::string key;
    for (std::size_t i = kPrefix.size(); i < name.size(); ++i) {
      if (name.compare(i, 2, "__") == 0 && key.find('.') == std::string::npos) {
        key += '.';
        ++i;
      } else {
        key += static_cast<char>(name[i] >= 'A' && name[i] <= 'Z' ? name[i] | 0x20 : name[i]);
      }
    }
    TRY_OK(set(key, std::string(variable.substr(equals + 1)), name));
  }
  return ok_status();
}

}  // namespace attune
