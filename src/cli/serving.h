// What attune serve serves: one workspace, or all in a folder, opened by the settings.
#pragma once
#include <memory>
#include <string>

#include "api/workspaces.h"
#include "cli/settings.h"

namespace attune {

Time wall_clock();

// Engine, keys and App of one workspace. log: what it writes to; must outlive it.
Result<std::unique_ptr<ServedWorkspace>> open_served(const Settings& settings, Log& log);

// All of server.workspaces. A workspace's own attune.toml has the last word on what is not the
// server's: all but [server], [log], workspace.path and workspace.memory_bytes.
WorkspacesOptions workspaces_options(const GivenSettings& given, const Settings& settings,
                                     Log& log);

}  // namespace attune
