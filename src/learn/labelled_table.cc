#include "learn/labelled_table.h"

#include <cmath>
#include <utility>

#include "feature/cell.h"

namespace attune {

LabelledTable::LabelledTable(LoadedTable loaded, Target found)
    : table(std::move(loaded)), target(std::move(found)) {
  for (std::size_t row = 0; row < table.rows(); ++row) {
    if (!trimmed(table.cell(row, target.column)).empty()) {
      rows.push_back(static_cast<std::uint32_t>(row));
    }
  }
}

bool LabelledTable::is_yes(std::size_t row) const {
  return trimmed(table.cell(row, target.column)) == target.positive;
}

float LabelledTable::label(std::size_t row) const {
  if (target.is_binary) return is_yes(row) ? 1.0F : 0.0F;
  return static_cast<float>(number_of(table.cell(row, target.column)).value_or(NAN));
}

double LabelledTable::mean_label(std::span<const std::uint32_t> of) const {
  double sum = 0;
  for (const std::uint32_t row : of) sum += static_cast<double>(label(row));
  return of.empty() ? 0 : sum / static_cast<double>(of.size());
}

}  // namespace attune
