// What a Config says of itself.
#include <fmt/format.h>

#include <algorithm>

#include "base/config.h"

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

}  // namespace

std::string Config::print_toml() const {
  std::string out, section;
  for (const ConfigRow* each : by_section(rows_)) {
    const ConfigRow& row = *each;
    if (section_of(row) != section) {
      section = section_of(row);
      out += fmt::format("{}[{}]\n", out.empty() ? "" : "\n", section);
    }
    out += fmt::format("{} = {}  # {}\n", name_of(row), row.print(), row.source);
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
