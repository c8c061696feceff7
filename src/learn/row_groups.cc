#include "learn/row_groups.h"

#include <fmt/format.h>

#include <string_view>
#include <unordered_map>

#include "feature/cell.h"

namespace attune {

Result<RowGroups> group_rows(const LabelledTable& labelled, const std::string& column) {
  const LoadedTable& table = labelled.table;
  RowGroups out;
  out.column = column;
  TRY(out.place, table.need_column(column, "group"));
  if (out.place == labelled.target.column) {
    return Error{Code::kInvalid, fmt::format("--group {}: it is the target", column), "group",
                 "name the column that says which rows belong together"};
  }
  std::unordered_map<std::string_view, std::uint32_t> known;
  for (std::size_t row = 0; row < table.rows(); ++row) {
    const std::string_view cell = trimmed(table.cell(row, out.place));
    const auto next = static_cast<std::uint32_t>(out.groups);
    const std::uint32_t group = cell.empty() ? next : known.try_emplace(cell, next).first->second;
    out.groups += group == next ? 1 : 0;
    out.of_row.push_back(group);
  }
  std::vector<std::uint8_t> seen(out.groups);  // rows, up to 2
  for (const std::uint32_t row : labelled.rows) {
    std::uint8_t& rows = seen[out.of_row[row]];
    if (rows == 1) ++out.with_several;
    if (rows < 2) ++rows;
  }
  return out;
}

}  // namespace attune
