#include "cli/search_flags.h"

#include "base/command_line.h"
#include "base/config.h"

namespace attune {

void add_search_flags(Command& command, SearchFlags& flags) {
  command
      .add_option(
          "--search", flags.settings,
          "try so many settings of each kind on rows held back (6); of a table or a workspace")
      ->check(range(1, 1000));
  command
      .add_option("--budget-seconds", flags.budget_s,
                  "how long to look for kind and settings and to learn, about (60)")
      ->check(range(0.1, 1e6));
  command
      .add_option("--resume", flags.resume,
                  "of a table: keep each setting tried in this file; cut short, the same command "
                  "goes on from there and chooses what it would have chosen")
      ->type_name("FILE");
}

Result<TableTrainingOptions::Search> search_of(const SearchFlags& flags,
                                               const std::string& memory) {
  TableTrainingOptions::Search search;
  if (flags.settings > 0) search.settings = flags.settings;
  if (flags.budget_s > 0) search.budget_s = flags.budget_s;
  search.resume = flags.resume;
  if (!memory.empty()) {
    TRY(search.memory_bytes, parse_size(memory));
  }
  return search;
}

}  // namespace attune
