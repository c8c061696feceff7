// Access: how commands reach a workspace: its folder, while nobody serves it, or a server's API.
#pragma once
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "base/result.h"
#include "cli/client.h"
#include "engine/engine.h"

namespace attune {

struct Place {
  std::string workspace = "attune-workspace";
  std::string server;  // http(s)://HOST:PORT; "" = the folder
};

// Looking must not make a workspace.
Status require_workspace(const std::string& workspace);
// Opens the folder with the settings it had and without threads of its own. kConflict while a
// server uses it. retention_s: see EngineOptions.
Result<std::unique_ptr<Engine>> open_stopped(const std::string& workspace, double retention_s = 0);
// With the key in ATTUNE_ADMIN_KEY.
Result<Client> connect_admin(const std::string& server);
// For a path: everything but letters, digits and -._~ as %XX.
std::string percent_encoded(std::string_view text);
// "user_id:u-1" or "anonymous_id:a-2"; without a prefix a user id.
std::pair<IdType, std::string_view> typed_person(std::string_view text);
// Whether what cannot be undone may be done: --yes, or asked on the terminal. kInvalid elsewhere.
Status confirm(const std::string& question, bool is_yes);

}  // namespace attune
