#include "cli/help.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <memory>
#include <optional>

#include "base/command_line.h"
#include "base/nearest.h"
#include "base/version.h"

namespace attune {
namespace {

constexpr std::size_t kOptionWidth = 30;

std::string indented(std::string_view lines) {
  std::string out;
  while (!lines.empty()) {
    const auto end = std::min(lines.find('\n'), lines.size());
    out.append("  ").append(lines.substr(0, end)).append("\n");
    lines.remove_prefix(std::min(end + 1, lines.size()));
  }
  return out;
}

std::string full_name(const CLI::App& app) {
  const CLI::App* parent = app.get_parent();
  return parent ? full_name(*parent) + " " + app.get_name() : "attune";
}

std::string option_name(const CLI::Option& option) {
  std::string name = option.get_name(option.get_positional(), !option.get_positional());
  std::string type = option.get_type_name();
  type.resize(std::min(type.find(':'), type.size()));  // the rest is the range
  if (!option.get_positional() && option.get_type_size() != 0 && !type.empty()) name += " " + type;
  return name;
}

std::string option_help(const CLI::Option& option) {
  const std::string initial = option.get_default_str();
  const std::string type = option.get_type_name();
  const auto range = type.find(" in [");
  return option.get_description() + (range == std::string::npos ? "" : type.substr(range)) +
         (option.get_required() ? " (required)" : "") +
         (initial.empty() ? "" : fmt::format(" (default {})", initial));
}

// Positionals first, --help last.
std::vector<const CLI::Option*> options_of(const CLI::App& app) {
  std::vector<const CLI::Option*> options = app.get_options({});
  const auto rank = [&](const CLI::Option* o) {
    return o->get_positional() ? 0 : o == app.get_help_ptr() ? 2 : 1;
  };
  std::stable_sort(options.begin(), options.end(),
                   [&](const auto* a, const auto* b) { return rank(a) < rank(b); });
  return options;
}

std::string option_lines(const CLI::App& app) {
  std::string out;
  for (const CLI::Option* option : options_of(app)) {
    const std::string name = option_name(*option);
    out += name.size() + 4 > kOptionWidth
               ? fmt::format("  {}\n{:{}}{}\n", name, "", kOptionWidth, option_help(*option))
               : fmt::format("  {:{}}{}\n", name, kOptionWidth - 2, option_help(*option));
  }
  return out;
}

class HelpForm final : public CLI::Formatter {
 public:
  HelpForm() { column_width(16); }
  std::string make_help(const CLI::App* app, std::string, CLI::AppFormatMode mode) const override {
    return "Examples:\n" + indented(app->get_footer()) +
           fmt::format("\n{}: {}\n", full_name(*app), app->get_description()) +
           make_subcommands(app, mode) + "\nOptions:\n" + option_lines(*app);
  }
};

std::string markdown_of(const CLI::App& app) {
  std::string out = fmt::format("\n## {}\n\n{}.\n\n```\n{}\n```\n\n", full_name(app),
                                app.get_description(), app.get_footer());
  out += "| option | meaning |\n|---|---|\n";
  for (const CLI::Option* option : options_of(app)) {
    std::string help = option_help(*option);
    for (auto at = help.find('|'); at != std::string::npos; at = help.find('|', at + 2)) {
      help.insert(at, "\\");
    }
    out += fmt::format("| `{}` | {} |\n", option_name(*option), help);
  }
  for (const CLI::App* command : app.get_subcommands({})) out += markdown_of(*command);
  return out;
}

// The innermost command that was named.
const CLI::App& named(const CLI::App& app) {
  for (const CLI::App* command : app.get_subcommands({})) {
    if (command->parsed()) return named(*command);
  }
  return app;
}

std::string not_understood(const CLI::App& command, const std::string& word) {
  std::vector<std::string> known;
  const bool is_option = word.starts_with('-');
  if (is_option) {
    for (const CLI::Option* option : command.get_options({})) {
      for (const std::string& name : option->get_lnames()) known.push_back("--" + name);
    }
  } else {
    for (const CLI::App* sub : command.get_subcommands({})) known.push_back(sub->get_name());
  }
  const std::string name = word.substr(0, word.find('='));
  const std::string near = nearest(name, known);
  return fmt::format("{}: no {} {}{}", full_name(command), is_option ? "option" : "command", name,
                     near.empty() ? "" : ": did you mean " + near + "?");
}

// "attune itmes import": the words after one nobody knows may be commands of their own.
std::optional<std::string> unknown_command(const CLI::App& app) {
  const std::vector<std::string> words = app.remaining(false);
  if (words.empty() || words.front().starts_with('-')) return std::nullopt;
  return words.front();
}

// What is wrong with the command line.
std::string misuse(const CLI::App& app, const CLI::Error& error) {
  if (const auto word = unknown_command(app)) {
    return not_understood(app, *word) + fmt::format("\n  {} --help shows how\n", full_name(app));
  }
  const CLI::App& command = named(app);
  const std::string help = fmt::format("\n  {} --help shows how\n", full_name(command));
  for (const std::string& word : app.remaining(true)) {
    if (word != "--") return not_understood(command, word) + help;
  }
  if (dynamic_cast<const CLI::RequiredError*>(&error) && !command.get_subcommands({}).empty()) {
    return fmt::format("{}: name a command{}", full_name(command), help);
  }
  return fmt::format("{}: {}{}", full_name(command), error.what(), help);
}

}  // namespace

void explain_itself(Command& program, const std::string& examples) {
  CLI::App& app = program.app();
  app.formatter(std::make_shared<HelpForm>());
  app.footer(examples);
  app.get_help_ptr()->description("this text; attune COMMAND --help for one command");
  app.set_version_flag("--version", "attune " + std::string(kVersion), "the version");
  app.failure_message([](const CLI::App* a, const CLI::Error& error) { return misuse(*a, error); });
}

Command* add_command(Command& parent, const std::string& group, const std::string& name,
                     const std::string& summary, const std::string& examples) {
  Command* command = parent.add_subcommand(name, summary);
  command->app().group(group);
  command->app().footer(examples);
  command->app().get_help_ptr()->description("this text");
  return command;
}

std::string cli_markdown(const Command& program) {
  std::string out =
      "# Command line\n\nPrinted by `attune reference`; a test compares this page with it.\n\n"
      "Data goes to standard output, talk to standard error. Exit code 0: done, 1: failed, 2: "
      "misuse. `NO_COLOR` is obeyed. Keys come from the environment, never from a flag.\n";
  const CLI::App& app = program.app();
  for (const CLI::App* command : app.get_subcommands({})) out += markdown_of(*command);
  return out;
}

}  // namespace attune
