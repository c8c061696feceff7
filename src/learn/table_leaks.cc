#include "learn/table_leaks.h"

#include <fmt/format.h>

#include <cmath>
#include <functional>

#include "learn/column_scan.h"

namespace attune {
namespace {

// What the columns that are used say by themselves of a label, NaN where it is not known.
std::vector<ColumnFinding> scan_columns(const LabelledTable& labelled,
                                        const std::vector<PlanLine>& plan,
                                        const std::function<float(std::uint32_t row)>& label) {
  const LoadedTable& table = labelled.table;
  std::vector<std::string> names;
  std::vector<bool> is_number;
  const std::vector<std::size_t> places = used_columns(table, plan);
  for (const std::size_t place : places) {
    names.push_back(table.columns()[place]);
    is_number.push_back(table.shape().types[place] == ColumnType::kNumber);
  }
  ColumnScan scan(names, is_number);
  std::vector<std::string_view> cells(places.size());
  for (const std::uint32_t row : labelled.rows) {
    if (std::isnan(label(row))) continue;
    for (std::size_t i = 0; i < places.size(); ++i) cells[i] = table.cell(row, places[i]);
    scan.add(cells, label(row) > 0.5F);
  }
  return scan.findings();
}

}  // namespace

std::vector<std::size_t> used_columns(const LoadedTable& table, const std::vector<PlanLine>& plan) {
  std::vector<std::size_t> out;
  for (const PlanLine& line : plan) {
    const auto place = table.column(line.column);
    if (place && line.use != "left out" && line.use != "target") out.push_back(*place);
  }
  return out;
}

std::vector<std::string> leak_warnings(const LabelledTable& labelled, const FurtherTargets& further,
                                       const std::vector<PlanLine>& plan) {
  std::vector<std::string> out;
  if (!labelled.target.is_binary) return out;
  const auto first = [&](std::uint32_t row) { return labelled.label(row); };
  for (LeakWarning& leak : find_leaks(scan_columns(labelled, plan, first))) {
    out.push_back(std::move(leak.message));
  }
  for (std::size_t i = 0; i < further.size(); ++i) {
    const auto label = [&](std::uint32_t row) {
      return further.label(i, labelled.table.cell(row, further[i].column));
    };
    for (const LeakWarning& leak : find_leaks(scan_columns(labelled, plan, label))) {
      out.push_back(fmt::format("of {}: {}", further[i].name, leak.message));
    }
  }
  return out;
}

}  // namespace attune
