// `attune eval`: how good something learned is, on data it has not seen.
#include <CLI/CLI.hpp>

#include "cli/commands.h"
#include "cli/help.h"

namespace attune {

void add_eval(CLI::App& app, Action& chosen) {
  CLI::App* command =
      add_command(app, kUnderstandGroup, "eval", "How good what is learned is, on data not seen",
                  "attune eval recommend --data gowalla-ngcf --format gowalla-ngcf");
  command->require_subcommand(1);
  add_eval_recommend(*command, chosen);
}

}  // namespace attune
