// SearchFlags: how `attune train` looks for kind and settings of a table, as the command line says.
#pragma once
#include <string>

#include "base/result.h"
#include "learn/table_training.h"

namespace attune {

class Command;

struct SearchFlags {
  std::size_t settings = 0;  // of each kind; 0 = not said
  double budget_s = 0;       // 0 = not said
  std::string resume;        // "" = not said
  bool is_given() const { return settings > 0 || budget_s > 0 || !resume.empty(); }
};
void add_search_flags(Command& command, SearchFlags& flags);

// memory: of one model, as 256M; "" = not said.
Result<TableTrainingOptions::Search> search_of(const SearchFlags& flags, const std::string& memory);

}  // namespace attune
