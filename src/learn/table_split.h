// How a table is split in rows to learn from and rows to test on: by chance or by time, once or in
// folds; and whether each side has what it needs. Pure.
#pragma once
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "base/result.h"
#include "learn/labelled_table.h"
#include "learn/split.h"

namespace attune {

struct TableSplitOptions {
  std::size_t folds = 0;  // 0 = one split
  double share = 0.2;     // of the rows, tested on; in (0, 1)
  // Split by time: "" = by the column that holds times, if one does; "none" = never.
  std::string time_column = {};
  std::uint64_t seed = 1;
  // Of each row of the table: those of one group stay together, as one row would. By time a group
  // is as old as its latest row.
  std::span<const std::uint32_t> groups = {};
};

struct TableSplits {
  std::vector<Split> splits;          // rows of the table
  std::string measured_on;            // "the latest 9,042 rows by date"
  std::vector<std::string> warnings;  // split by chance though there are times
};

// kInvalid: no such column, a cell that is no time, too few rows, a class that is not among the
// rows learned from.
Result<TableSplits> split_table(const LabelledTable& labelled, const TableSplitOptions& options);
// Of some of its labelled rows alone, rising.
Result<TableSplits> split_rows(const LabelledTable& labelled, std::span<const std::uint32_t> rows,
                               const TableSplitOptions& options);

}  // namespace attune
