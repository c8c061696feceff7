// How `attune` explains itself: examples first, then what a command does, then its options; one
// page of markdown with all of it; and what to say of a command line nobody understands.
#pragma once
#include <string>

namespace CLI {
class App;
class ParseError;
}  // namespace CLI

namespace attune {

// Every command is made by this one.
//   group: heading of the list of commands in `attune --help`
//   summary: what it does, in a line without a period
//   examples: one command line each, "attune explain --workspace shop d_01..."
CLI::App* add_command(CLI::App& parent, const std::string& group, const std::string& name,
                      const std::string& summary, const std::string& examples);

// Before any command is added: they take their form from the parent.
void explain_itself(CLI::App& app);

// docs/reference/cli.md
std::string cli_markdown(const CLI::App& app);

// What is wrong with the command line and, for an unknown option or command, which was meant.
std::string misuse(const CLI::App& app, const CLI::ParseError& error);

}  // namespace attune
