#include <CLI/CLI.hpp>
#include <cstdio>

#include "base/nearest.h"
#include "cli/commands.h"

namespace attune {
namespace {

constexpr void (*kCommands[])(CLI::App&, Action&) = {add_start,  add_serve, add_explain,
                                                     add_replay, add_items, add_simulate};

int finish(const Status& status) {
  if (status.ok()) return 0;
  std::fprintf(stderr, "attune: %s\n", status.error().message.c_str());
  if (!status.error().hint.empty()) std::fprintf(stderr, "  %s\n", status.error().hint.c_str());
  return status.error().code == Code::kInvalid ? 2 : 1;
}

int unknown_command(const CLI::App& app, const std::string& word) {
  std::vector<std::string> known;
  for (const CLI::App* command : app.get_subcommands(nullptr)) known.push_back(command->get_name());
  const std::string meant = nearest(word, known);
  std::fprintf(stderr, "attune: no command %s%s\n", word.c_str(),
               meant.empty() ? "; attune --help lists them all"
                             : (": did you mean attune " + meant + "?").c_str());
  return 2;
}

}  // namespace

int run_attune(int argc, char** argv) {
  CLI::App app{
      "Attune: learns from what people do and decides what to show next.\n\n"
      "  attune start                                     see it learn, offline\n"
      "  attune serve --workspace shop                    serve HTTP\n"
      "  attune explain --workspace shop d_01...          why a decision was made\n"
      "  attune replay --verify --workspace shop          rebuild all state and compare\n"};
  app.require_subcommand(1);
  Action chosen;
  for (const auto add : kCommands) add(app, chosen);
  const auto is_named = [&](CLI::App* command) { return command->check_name(argv[1]); };
  if (argc > 1 && argv[1][0] != '-' && app.get_subcommands(is_named).empty()) {
    return unknown_command(app, argv[1]);
  }
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : 2;
  }
  return finish(chosen());
}

}  // namespace attune
