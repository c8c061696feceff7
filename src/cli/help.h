// How `attune` explains itself: examples first, then what a command does, then its options; one
// page of markdown with all of it; and what to say of a command line nobody understands.
#pragma once
#include <string>

namespace attune {

class Command;

// Every command is made by this one.
//   group: heading of the list of commands in `attune --help`
//   summary: what it does, in a line without a period
//   examples: one command line each, "attune explain --workspace shop d_01..."
Command* add_command(Command& parent, const std::string& group, const std::string& name,
                     const std::string& summary, const std::string& examples);

// Before any command is added: they take their form from the program. --version, too; a command
// line nobody understands is answered with what is wrong and, for an unknown option or command,
// which was meant.
void explain_itself(Command& program, const std::string& examples);

// docs/reference/cli.md
std::string cli_markdown(const Command& program);

}  // namespace attune
