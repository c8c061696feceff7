#include "cli/export_decisions.h"

#include <fmt/format.h>

#include <filesystem>
#include <fstream>
#include <iostream>

#include "cli/access.h"

namespace attune {
namespace {

// An imported log says the position in its placement, "position-3".
std::string position_of(const Decision& decision, std::size_t place) {
  constexpr std::string_view kLogged = "position-";
  if (decision.placement.starts_with(kLogged)) return decision.placement.substr(kLogged.size());
  return std::to_string(place + 1);
}

std::string quoted(const std::string& text) {
  if (text.find_first_of(",\"\r\n") == std::string::npos) return text;
  std::string out = "\"";
  for (const char c : text) out.append(c == '"' ? "\"\"" : std::string(1, c));
  return out + '"';
}

}  // namespace

Result<std::uint64_t> export_obd(const std::string& workspace, const std::string& output) {
  const bool is_file = !output.empty() && output != "-";
  if (is_file && std::filesystem::exists(output)) {
    return Error{Code::kConflict, output + " is there already", "output",
                 "name a file that does not exist yet"};
  }
  TRY(const auto engine, open_stopped(workspace));
  std::ofstream file;
  if (is_file) file.open(output, std::ios::binary);
  std::ostream& out = is_file ? static_cast<std::ostream&>(file) : std::cout;
  out << "timestamp,item_id,position,click,propensity_score,policy,decision_id\n";
  std::uint64_t rows = 0;
  TRY_OK(engine->logged_decisions([&](const Decision& decision, std::uint64_t,
                                      const std::vector<bool>& is_answered) {
    for (std::size_t i = 0; i < decision.shown.size(); ++i, ++rows) {
      const ShownItem& shown = decision.shown[i];
      out << fmt::format("{},{},{},{},{},{},{}\n", format_iso8601(decision.time),
                         quoted(shown.item_id), position_of(decision, i), is_answered[i] ? 1 : 0,
                         shown.propensity, policy_name(decision.policy), decision.id);
    }
  }));
  TRY_OK(engine->close());
  if (out.flush()) return rows;
  return Error{Code::kUnavailable, "cannot write all of the export", "output", "check free space"};
}

}  // namespace attune
