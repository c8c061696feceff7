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

// before: the words before it, "attune" or "attune items".
int unknown_command(const CLI::App& app, const std::string& before, const std::string& word) {
  std::vector<std::string> known;
  for (const CLI::App* command : app.get_subcommands(nullptr)) known.push_back(command->get_name());
  const std::string meant = nearest(word, known);
  std::fprintf(stderr, "attune: no command %s%s\n", word.c_str(),
               meant.empty() ? ("; " + before + " --help lists them all").c_str()
                             : (": did you mean " + before + " " + meant + "?").c_str());
  return 2;
}

// The first word that should name a command of `app`, and does not; commands may have their own.
const char* find_unknown(CLI::App& app, char** words, const CLI::App*& parent,
                         std::string& before) {
  parent = &app;
  for (before = "attune"; *words != nullptr && **words != '-';
       before += std::string(" ") + *words++) {
    if (parent->get_subcommands(nullptr).empty()) return nullptr;  // an argument
    const auto found = parent->get_subcommands(
        [&](const CLI::App* command) { return command->check_name(*words); });
    if (found.empty()) return *words;
    parent = found.front();
  }
  return nullptr;
}

}  // namespace

int run_attune(int argc, char** argv) {
  CLI::App app{
      "Attune: learns from what people do and decides what to show next.\n\n"
      "  attune start                                     see it learn, offline\n"
      "  attune serve --workspace shop                    serve HTTP\n"
      "  attune explain --workspace shop d_01...          why a decision was made\n"
      "  attune items import shop.csv --workspace shop    load the catalog\n"
      "  attune replay --verify --workspace shop          rebuild all state and compare\n"};
  app.require_subcommand(1);
  Action chosen;
  for (const auto add : kCommands) add(app, chosen);
  const CLI::App* parent = nullptr;
  std::string before;
  std::vector<char*> words(argv, argv + argc);
  words.push_back(nullptr);
  if (const char* word = find_unknown(app, words.data() + 1, parent, before)) {
    return unknown_command(*parent, before, word);
  }
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : 2;
  }
  return finish(chosen());
}

}  // namespace attune
