// BadRowFile: the rows an import left out, as CSV: line, column, reason, row. Made with the first
// bad row. One thread.
#pragma once
#include <fstream>
#include <string>
#include <string_view>

#include "base/result.h"
#include "format/table.h"

namespace attune {

class BadRowFile {
 public:
  // chosen: where the user wants it; "" = beside `source`, or else in the current folder.
  BadRowFile(std::string chosen, const std::string& source);
  Status add(const BadRow& bad, std::string_view row);
  Status finish();
  const std::string& path() const { return path_; }  // "" = none was written

 private:
  Status open();
  std::string chosen_, beside_, path_;
  std::ofstream file_;
};

}  // namespace attune
