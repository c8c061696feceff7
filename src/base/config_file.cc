// The TOML side of Config.
#include <fmt/format.h>
#include <simdjson.h>

#include <fstream>
#include <optional>
#include <sstream>

#include "base/config.h"
#include "base/toml.h"

namespace attune {
namespace {

struct Found {
  std::string key;
  ConfigValue value;
  std::size_t line = 0;
};

std::optional<ConfigValue> texts_of(const TomlValue& array) {
  std::vector<std::string> texts;
  for (const TomlValue& member : array.as_array()) {
    if (!member.is_string()) return std::nullopt;
    texts.push_back(member.as_string());
  }
  return texts;
}

std::optional<ConfigValue> table_of(const TomlValue& table) {
  ConfigTable texts;
  for (const auto& [name, member] : table.as_table()) {
    if (!member.is_string()) return std::nullopt;
    texts[name] = member.as_string();
  }
  return texts;
}

std::optional<ConfigValue> value_of(const TomlValue& value) {
  if (value.is_boolean()) return value.as_boolean();
  if (value.is_integer()) return value.as_integer();
  if (value.is_floating()) return value.as_floating();
  if (value.is_string()) return value.as_string();
  if (value.is_array()) return texts_of(value);
  if (value.is_table()) return table_of(value);
  return std::nullopt;
}

// Tables that are no row themselves hold rows.
Status collect(const Config& config, const TomlValue& value, const std::string& key,
               const std::string& path, std::vector<Found>& out) {
  const std::size_t line = value.line();
  if (value.is_table() && !config.find(key)) {
    const std::string prefix = key.empty() ? "" : key + ".";
    for (const auto& [name, member] : value.as_table()) {
      TRY_OK(collect(config, member, prefix + name, path, out));
    }
    return ok_status();
  }
  auto read = value_of(value);
  if (!read) {
    return Error{Code::kInvalid,
                 fmt::format("{} line {}: {} is of a kind no key takes", path, line, key), key,
                 "attune config explain " + key};
  }
  out.push_back({key, std::move(*read), line});
  return ok_status();
}

Error not_toml(const std::string& path, const TomlFault& fault) {
  if (fault.line == 0) {
    return {Code::kInvalid, fmt::format("{}: not valid TOML", path), "config", fault.what};
  }
  return {Code::kInvalid, fmt::format("{} line {}: not valid TOML", path, fault.line), "config",
          fault.what.substr(0, fault.what.find('\n'))};
}

}  // namespace

Status Config::load_file(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) {
    return Error{Code::kInvalid, "cannot read the configuration file " + path, "config",
                 "name a file that exists with --config, or leave --config out"};
  }
  std::stringstream text;
  text << file.rdbuf();
  // toml11 reads outside its buffer while it reports a quoted key that is not UTF-8.
  const std::string bytes = text.str();
  if (!simdjson::validate_utf8(bytes)) {
    return Error{Code::kInvalid, path + ": not UTF-8 text", "config", "save the file as UTF-8"};
  }
  TomlFault fault;
  const auto root = parse_toml(bytes, path, fault);
  if (!root) return not_toml(path, fault);
  std::vector<Found> found;
  TRY_OK(collect(*this, *root, "", path, found));
  // In the order of the file: the first mistake is named first.
  std::stable_sort(found.begin(), found.end(),
                   [](const Found& a, const Found& b) { return a.line < b.line; });
  for (const Found& f : found) {
    TRY_OK(set(f.key, f.value, fmt::format("{} line {}", path, f.line)));
  }
  return ok_status();
}

}  // namespace attune
