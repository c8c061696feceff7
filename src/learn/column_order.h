// ColumnOrder: how well the best single column orders the rows of groups: what a model of rankings
// has to beat. Numbers as they stand, up or down; texts by how rows with the same text did in other
// groups. Pure.
#pragma once
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "learn/labelled_table.h"
#include "learn/row_groups.h"

namespace attune {

struct ColumnOrder {
  std::size_t column = 0;
  bool is_number = false;   // else by the mean of labels
  bool is_falling = false;  // the smallest number first
  // Of texts: by how much labels differ from those of their group, on the rows learned from.
  std::vector<std::pair<std::string, double>> means = {};  // by text, sorted

  // Higher comes first.
  float score(std::string_view cell) const;
  std::string words(std::string_view name) const;  // "views, the largest first"
};

// The column that has most pairs of the rows learned from in the right order; texts are judged by
// other groups than their own. nullopt without columns. O(rows log rows) a column.
std::optional<ColumnOrder> best_column_order(const LabelledTable& labelled, const RowGroups& groups,
                                             std::span<const std::size_t> columns,
                                             std::span<const std::uint32_t> rows);

}  // namespace attune
