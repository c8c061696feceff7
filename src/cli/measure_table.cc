#include "cli/measure_table.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "cli/words.h"

namespace attune {
namespace {

constexpr std::size_t kWidestName = 40;

std::string figure(double value) {
  const double size = std::fabs(value);
  if (size != 0 && (size < 1e-3 || size >= 1e6)) return fmt::format("{:.4g}", value);
  return fmt::format("{:.4f}", value);
}

std::string range(const std::optional<Interval>& interval) {
  if (!interval) return "";
  return figure(interval->low) + " to " + figure(interval->high);
}

template <class Items, class NameOf>
std::size_t width_of(const Items& items, NameOf name_of) {
  std::size_t width = 0;
  for (const auto& item : items) width = std::max(width, columns(name_of(item)));
  return std::min(width, kWidestName);
}

}  // namespace

std::vector<std::string> measure_table(std::span<const Measure> measures) {
  std::size_t width = 12;
  for (const Measure& measure : measures) width = std::max(width, measure.name.size());
  std::vector<std::string> lines = {fmt::format("{:{}} {:>9}   {:22} {:19} {}", "", width, "value",
                                                "95 % interval", "how", "without a model")};
  for (const Measure& measure : measures) {
    if (!measure.value) {
      lines.push_back(fmt::format("{:{}} undefined: {}", measure.name, width, measure.undefined));
      continue;
    }
    std::string line = fmt::format("{:{}} {:>9}   {:22} {:19}", measure.name, width,
                                   figure(*measure.value), range(measure.interval),
                                   measure.interval ? measure.method : std::string_view{});
    if (measure.baseline) {
      line += fmt::format(" {}, {}", figure(*measure.baseline), measure.compared_with);
    }
    line.erase(line.find_last_not_of(' ') + 1);
    lines.push_back(std::move(line));
  }
  return lines;
}

std::vector<std::string> plan_table(std::span<const PlanLine> plan) {
  const std::size_t name = width_of(
      plan, [](const PlanLine& l) -> const auto& { return l.column; });
  const std::size_t use = width_of(
      plan, [](const PlanLine& l) -> const auto& { return l.use; });
  std::vector<std::string> lines;
  for (const PlanLine& line : plan) {
    lines.push_back("  " + left(line.column, name) + "  " + left(line.use, use) + "  " +
                    line.reason);
  }
  return lines;
}

std::vector<std::string> kind_table(const TrainReport& report) {
  const char* first = report.is_binary ? "auc" : "r2";
  const char* second = report.is_binary ? "log_loss" : "rmse";
  std::vector<std::string> lines = {fmt::format("{:10} {:>9}   {:22} {:>9}   {:22} {}", "kind",
                                                first, "95 % interval", second, "95 % interval",
                                                "passes")};
  for (const KindReport& kind : report.kinds) {
    std::string line = fmt::format("{:10}", kind.kind);
    for (const char* name : {first, second}) {
      const Measure* measure = find_measure(kind.measures, name);
      const bool is_defined = measure != nullptr && measure->value;
      line += fmt::format(" {:>9}   {:22}", is_defined ? figure(*measure->value) : "undefined",
                          is_defined ? range(measure->interval) : "");
    }
    lines.push_back(fmt::format("{} {}", line, kind.passes));
  }
  return lines;
}

std::vector<std::string> candidate_table(const TrainReport& report, std::size_t most) {
  const ChoiceReport& choice = report.choice;
  std::vector<std::string> lines = {fmt::format("{:10} {:>9} {:>7} {:>9}   {:22} {}", "tried",
                                                "rows", "passes",
                                                !report.is_binary            ? "sq. error"
                                                : report.kinds.front().joint ? "joint"
                                                                             : "log_loss",
                                                "95 % interval", "settings")};
  const std::size_t shown = std::min(choice.candidates.size(), most);
  for (std::size_t i = 0; i < shown; ++i) {
    const CandidateReport& one = choice.candidates[i];
    lines.push_back(fmt::format("{:10} {:>9} {:>7} {:>9}   {:22} {}", one.kind, thousands(one.rows),
                                one.passes, figure(one.loss), range(one.interval), one.settings));
  }
  if (shown < choice.candidates.size()) {
    lines.push_back(
        fmt::format("and {} more, of less rows or higher loss", choice.candidates.size() - shown));
  }
  return lines;
}

std::vector<std::string> rival_table(const TrainReport& report) {
  std::vector<std::string> lines = {left("the new model beside", 24) + right("rows", 10) +
                                    right("log loss", 11) + "  difference (95 %)"};
  for (const RivalReport& rival : report.rivals) {
    std::string line = left(rival.name, 24) + right(thousands(rival.rows), 10);
    if (rival.log_loss) line += right(fmt::format("{:.5f}", *rival.log_loss), 11);
    if (rival.difference && rival.interval) {
      line += fmt::format("  {:+.5f} ({:+.5f} to {:+.5f}): {}", *rival.difference,
                          rival.interval->low, rival.interval->high, verdict_name(rival.verdict));
    }
    lines.push_back(std::move(line));
  }
  return lines;
}

std::vector<std::string> slice_table(const std::string& column, std::span<const SliceScores> slices,
                                     bool is_binary, std::size_t most) {
  constexpr std::array<const char*, 4> kOfYes = {"base_rate", "auc", "log_loss", "calibration"};
  constexpr std::array<const char*, 4> kOfNumber = {"mean", "r2", "rmse", "mae"};
  const auto& names = is_binary ? kOfYes : kOfNumber;
  const auto shown = slices.first(std::min(slices.size(), most));
  std::size_t width = std::max<std::size_t>(columns(column), 7);
  for (const SliceScores& slice : shown) width = std::max(width, columns(slice.value));
  width = std::min(width, kWidestName);
  std::string head = left(column, width) + "     rows";
  for (const char* name : names) head += fmt::format(" {:>11}", name);
  std::vector<std::string> lines = {head + fmt::format("   {} 95 %", names[1])};
  for (const SliceScores& slice : shown) {
    const std::string value = slice.value.empty() ? "(empty)" : slice.value;
    std::string line = left(value, width) + fmt::format(" {:>8}", slice.rows);
    for (const char* name : names) {
      const Measure* measure = find_measure(slice.measures, name);
      const bool is_defined = measure != nullptr && measure->value;
      line += fmt::format(" {:>11}", is_defined ? figure(*measure->value) : "undefined");
    }
    const Measure* second = find_measure(slice.measures, names[1]);
    if (second != nullptr && second->interval) line += "   " + range(second->interval);
    lines.push_back(std::move(line));
  }
  if (shown.size() < slices.size()) {
    lines.push_back(fmt::format("and {} smaller slices", slices.size() - shown.size()));
  }
  return lines;
}

std::vector<std::string> part_table(std::span<const RowPart> parts, std::size_t most) {
  const auto shown = parts.first(std::min(parts.size(), most));
  const std::size_t name = width_of(
      shown, [](const RowPart& p) -> const auto& { return p.name; });
  std::vector<std::string> lines;
  for (const RowPart& part : shown) {
    std::string line = fmt::format("  {:+9.4f}  {}", part.part, left(part.name, name));
    if (part.value != 1) line += fmt::format("  of {}", figure(part.value));
    line.erase(line.find_last_not_of(' ') + 1);
    lines.push_back(std::move(line));
  }
  double rest = 0;
  for (const RowPart& part : parts.subspan(shown.size())) rest += part.part;
  if (shown.size() < parts.size()) {
    lines.push_back(fmt::format("  {:+9.4f}  {} smaller parts", rest, parts.size() - shown.size()));
  }
  return lines;
}

}  // namespace attune
