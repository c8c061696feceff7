// What a Config says of itself.
#include <fmt/format.h>

#include <algorithm>

#include "base/config.h"
#include "base/json.h"
#include "base/nearest.h"

namespace attune {
namespace {

std::string section_of(const ConfigRow& row) { return row.key.substr(0, row.key.find('.')); }
// Rows of one section stand together, sections in the order of their first row.
std::vector<const ConfigRow*> by_section(const std::vector<ConfigRow>& rows) {
  std::vector<const ConfigRow*> out;
  for (const ConfigRow& first : rows) {
    const std::string section = section_of(first);
    const auto is_same = [&](const ConfigRow* r) { return section_of(*r) == section; };
    if (std::any_of(out.begin(), out.end(), is_same)) continue;
    for (const ConfigRow& row : rows) {
      if (is_same(&row)) out.push_back(&row);
    }
  }
  return out;
}
std::string name_of(const ConfigRow& row) { return row.key.substr(row.key.find('.') + 1); }

std::string quoted(std::string_view text) {
  std::string out;
  append_json_string(out, text);  // a TOML basic string is written the same
  return out;
}

// TOML and JSON differ in what stands between the name and the value of a table's member.
std::string print(const ConfigValue& value, std::string_view equals) {
  if (const auto* flag = std::get_if<bool>(&value)) return *flag ? "true" : "false";
  if (const auto* whole = std::get_if<std::int64_t>(&value)) return fmt::format("{}", *whole);
  if (const auto* real = std::get_if<double>(&value)) return fmt::format("{}", *real);
  if (const auto* text = std::get_if<std::string>(&value)) return quoted(*text);
  std::vector<std::string> parts;
  if (const auto* list = std::get_if<std::vector<std::string>>(&value)) {
    for (const std::string& member : *list) parts.push_back(quoted(member));
    return fmt::format("[{}]", fmt::join(parts, ", "));
  }
  for (const auto& [name, member] : std::get<ConfigTable>(value)) {
    parts.push_back(fmt::format("{}{}{}", quoted(name), equals, quoted(member)));
  }
  return fmt::format("{{{}}}", fmt::join(parts, ", "));
}

}  // namespace

std::string toml_of(const ConfigValue& value) { return print(value, " = "); }
std::string json_of(const ConfigValue& value) { return print(value, ":"); }

std::string Config::print_json() const {
  std::string out;
  JsonWriter json(out);
  json.begin_object();
  for (const ConfigRow& row : rows_) {
    json.key(row.key).begin_object().key("value").raw(json_of(row.get()));
    json.field("source", row.source).end_object();
  }
  json.end_object();
  return out;
}

std::string Config::values_json() const { return values_json(true); }
std::string Config::changed_json() const { return values_json(false); }

std::string Config::values_json(bool with_defaults) const {
  std::map<std::string, std::string> values;
  for (const ConfigRow& row : rows_) {
    if (with_defaults || row.source != "default") values[row.key] = json_of(row.get());
  }
  std::string out;
  JsonWriter json(out);
  json.begin_object();
  for (const auto& [key, value] : values) json.key(key).raw(value);
  json.end_object();
  return out;
}

Result<std::string> Config::explain(std::string_view key) const {
  const ConfigRow* row = find(key);
  if (!row) {
    Error error = unknown_key(key, "config");
    error.message = fmt::format("no key {}", key);
    return error;
  }
  std::string variable = "ATTUNE__" + row->key;
  variable.replace(variable.find('.'), 1, "__");
  for (char& c : variable) c = static_cast<char>(c >= 'a' && c <= 'z' ? c & ~0x20 : c);
  std::string out = fmt::format("{}: {}\n  type: {}\n", row->key, row->help, row->type);
  if (!row->allowed.empty()) out += fmt::format("  allowed: {}\n", row->allowed);
  if (!row->unit.empty()) out += fmt::format("  unit: {}\n", row->unit);
  out += fmt::format("  default: {}\n  environment: {}\n  TOML: [{}] {} = ...\n", row->initial,
                     variable, section_of(*row), name_of(*row));
  return out;
}

std::string Config::print_toml() const {
  std::string out, section;
  for (const ConfigRow* each : by_section(rows_)) {
    const ConfigRow& row = *each;
    if (section_of(row) != section) {
      section = section_of(row);
      out += fmt::format("{}[{}]\n", out.empty() ? "" : "\n", section);
    }
    out += fmt::format("{} = {}  # {}\n", name_of(row), toml_of(row.get()), row.source);
  }
  return out;
}

std::string Config::reference_markdown() const {
  std::string out =
      "# Configuration\n\n"
      "Printed by `attune config reference`; a test compares this page with it.\n\n"
      "A flag wins over the environment (`ATTUNE__SECTION__KEY`), the environment over the TOML "
      "file (`--config FILE`), the file over the default. `attune config check FILE` finds "
      "mistakes, `attune config print` shows what holds and where it comes from, "
      "`--set section.key=value` sets any key.\n";
  std::string section;
  for (const ConfigRow* each : by_section(rows_)) {
    const ConfigRow& row = *each;
    if (section_of(row) != section) {
      section = section_of(row);
      out +=
          fmt::format("\n## {}\n\n| key | type | allowed | unit | default | meaning |\n", section);
      out += "|---|---|---|---|---|---|\n";
    }
    out += fmt::format("| `{}` | {} | {} | {} | `{}` | {} |\n", name_of(row), row.type, row.allowed,
                       row.unit, row.initial, row.help);
  }
  return out;
}

}  // namespace attune
