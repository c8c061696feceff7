// RowGroups: which rows of a table compete with each other (a search, a slate, a test): those with
// one value in a column. Pure data.
#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "learn/labelled_table.h"

namespace attune {

struct RowGroups {
  std::string column;
  std::size_t place = 0;  // of the column
  // Of each row of the table, from 0; a row with an empty cell is a group of its own.
  std::vector<std::uint32_t> of_row;
  std::size_t groups = 0;
  std::size_t with_several = 0;  // of them, with two labelled rows or more
};

// kInvalid: no such column (with the nearest), or it is the target.
Result<RowGroups> group_rows(const LabelledTable& labelled, const std::string& column);

}  // namespace attune
