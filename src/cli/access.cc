#include "cli/access.h"

#include <fmt/format.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <iostream>

namespace attune {

Status require_workspace(const std::string& workspace) {
  if (std::filesystem::is_directory(workspace + "/journal")) return ok_status();
  return Error{Code::kNotFound, "no workspace at " + workspace, "workspace",
               "name the folder that attune serve uses with --workspace"};
}

Result<std::unique_ptr<Engine>> open_stopped(const std::string& workspace, double retention_s) {
  TRY_OK(require_workspace(workspace));
  EngineOptions options;
  options.workspace = workspace;
  options.is_ticking = false;
  options.retention_s = retention_s;
  auto engine = Engine::open(options);
  if (!engine.ok() && engine.error().code == Code::kConflict) {
    return Error{Code::kConflict, engine.error().message, "workspace",
                 "stop the server, or ask it: --server http://HOST:PORT with its key in "
                 "ATTUNE_ADMIN_KEY"};
  }
  return engine;
}

Result<Client> connect_admin(const std::string& server) {
  TRY(const ServerAddress address, parse_server(server));
  const char* const key = std::getenv("ATTUNE_ADMIN_KEY");
  if (key == nullptr || *key == 0) {
    return Error{Code::kInvalid, "ATTUNE_ADMIN_KEY is not set: the server asks for an admin key",
                 "", "set it to an admin key of the server"};
  }
  auto client = Client::connect(address, key);
  // What was wrong with https is said already.
  if (client.ok() || address.is_https) return client;
  return Error{Code::kUnavailable, fmt::format("no server answers at {}", server), "server",
               "start it, or leave --server out to use the folder"};
}

std::string percent_encoded(std::string_view text) {
  std::string out;
  for (const char c : text) {
    const bool is_plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                          (c >= '0' && c <= '9') || c == '-' || c == '.' || c == '_' || c == '~';
    if (is_plain) {
      out += c;
    } else {
      out += fmt::format("%{:02X}", static_cast<unsigned char>(c));
    }
  }
  return out;
}

std::pair<IdType, std::string_view> typed_person(std::string_view text) {
  constexpr std::string_view kUser = "user_id:", kAnonymous = "anonymous_id:";
  if (text.starts_with(kAnonymous)) return {IdType::kAnonymous, text.substr(kAnonymous.size())};
  if (text.starts_with(kUser)) text.remove_prefix(kUser.size());
  return {IdType::kUser, text};
}

Status confirm(const std::string& question, bool is_yes) {
  if (is_yes) return ok_status();
  if (::isatty(STDIN_FILENO) == 0) {
    return Error{Code::kInvalid, "this cannot be undone and nobody is there to ask", "yes",
                 "add --yes"};
  }
  std::fprintf(stderr, "%s Type yes: ", question.c_str());
  std::string answer;
  std::getline(std::cin, answer);
  if (answer == "yes") return ok_status();
  return Error{Code::kConflict, "nothing was done"};
}

}  // namespace attune
