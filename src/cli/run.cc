#include <cstdio>

#include "base/command_line.h"
#include "cli/commands.h"
#include "cli/help.h"

namespace attune {
namespace {

constexpr void (*kCommands[])(Command&, Action&) = {
    add_start,  add_serve,    add_train,    add_eval,      add_predict, add_explain,  add_preview,
    add_replay, add_person,   add_export,   add_erase,     add_backup,  add_restore,  add_retain,
    add_import, add_items,    add_simulate, add_report,    add_tune,    add_config,   add_plan,
    add_keys,   add_registry, add_runs,     add_workspace, add_doctor,  add_reference};

constexpr const char* kExamples =
    "attune start                                  see it learn, offline\n"
    "attune serve --workspace shop                 serve HTTP\n"
    "attune explain --workspace shop d_01...       why a decision was made\n"
    "attune doctor --workspace shop                what is wrong, and what to do\n"
    "attune backup --workspace shop --output monday.tar.zst\n"
    "attune replay --verify --workspace shop       rebuild all state and compare";

int finish(const Status& status) {
  if (status.ok()) return 0;
  std::fprintf(stderr, "attune: %s\n", status.error().message.c_str());
  if (!status.error().hint.empty()) std::fprintf(stderr, "  %s\n", status.error().hint.c_str());
  return status.error().code == Code::kInvalid ? 2 : 1;
}

}  // namespace

void add_reference(Command& app, Action& chosen) {
  Command* command =
      add_command(app, kOperateGroup, "reference", "Every command with its options, as markdown",
                  "attune reference > docs/reference/cli.md");
  command->callback([&app, &chosen] {
    chosen = [&app] {
      std::fputs(cli_markdown(app).c_str(), stdout);
      return ok_status();
    };
  });
}

int run_attune(int argc, char** argv) {
  Command app{"learns from what people do and decides what to show next"};
  explain_itself(app, kExamples);
  app.require_subcommand(1);
  Action chosen;
  for (const auto add : kCommands) add(app, chosen);
  if (const auto code = app.parse(argc, argv)) return *code == 0 ? 0 : 2;
  return finish(chosen());
}

}  // namespace attune
