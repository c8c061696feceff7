// LoadedTable: the good rows of a table, whole in memory as text, so that they can be split and
// fitted in more than one way. Cells are UTF-8. const calls are safe to share.
#pragma once
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "format/table.h"

namespace attune {

class LoadedTable {
 public:
  static constexpr std::uint64_t kMostBytes = std::uint64_t{1} << 31;  // of all cells
  static constexpr std::size_t kBadRowsKept = 10;
  // on_progress: told the share of the file read, now and then. kInvalid: no rows, or too many.
  static Result<LoadedTable> read(TableReader& reader, const std::string& path,
                                  const std::function<void(double)>& on_progress = nullptr);

  std::size_t rows() const { return lines_.size(); }
  const std::vector<std::string>& columns() const { return shape_.columns; }
  const TableShape& shape() const { return shape_; }
  // `out` becomes the cells of the row, valid as long as this table.
  void cells(std::size_t row, std::vector<std::string_view>& out) const;
  std::string_view cell(std::size_t row, std::size_t column) const;
  std::uint64_t line(std::size_t row) const { return lines_[row]; }  // of the file, from 1
  // Of all cells and the names of their columns.
  std::uint64_t content_hash() const;
  std::uint64_t bad_rows() const { return bad_rows_; }
  const std::vector<BadRow>& first_bad() const { return first_bad_; }
  std::optional<std::size_t> column(std::string_view name) const;
  // The column of that name; kInvalid with the nearest name, `option` is what asked for it.
  Result<std::size_t> need_column(std::string_view name, const std::string& option) const;

 private:
  TableShape shape_;
  std::string text_;
  std::vector<std::uint32_t> ends_;  // of each cell in text_, row after row
  std::vector<std::uint64_t> lines_;
  std::uint64_t bad_rows_ = 0;
  std::vector<BadRow> first_bad_;
};

}  // namespace attune
