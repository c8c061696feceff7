#include <CLI/CLI.hpp>

#include "cli/commands.h"

namespace attune {
void add_doctor(CLI::App&, Action&) {}
}  // namespace attune
