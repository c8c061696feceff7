// What the text of a cell stands for. No state: safe to share.
#pragma once
#include <cstddef>
#include <string_view>

#include "format/table.h"

namespace attune {

// A plain decimal number: no leading zero before a digit (007 is a name), not infinite, no space.
bool is_number(std::string_view text);
// The type of one cell: kEmpty, else kNumber, kTime (ISO-8601, the time of day without zone too),
// kBool (true, false, yes, no in any case), else kText. 0 and 1 are numbers.
ColumnType type_of(std::string_view cell);
std::string_view type_name(ColumnType type);  // "number", "text", "time", "bool", "empty"

// The type of a column: that of at least 95 % of its cells that are not empty, else kText.
class TypeVote {
 public:
  void add(std::string_view cell) { ++counts_[static_cast<std::size_t>(type_of(cell))]; }
  ColumnType type() const;

 private:
  std::size_t counts_[5] = {};
};

}  // namespace attune
