// attune workspace: makes and lists the workspaces that attune serve --workspaces serves together.
#include <fmt/format.h>
#include <unistd.h>

#include <cstdio>
#include <filesystem>

#include "api/workspaces.h"
#include "base/command_line.h"
#include "base/json.h"
#include "cli/commands.h"
#include "cli/help.h"
#include "cli/settings.h"
#include "engine/examine.h"

namespace attune {
namespace {

namespace fs = std::filesystem;

struct WorkspaceOptions {
  std::string name;
  bool is_json = false;
  std::shared_ptr<GivenSettings> given;
};

struct FirstKey {
  const char* name;
  std::uint8_t scopes;
  const char* what_for;
};
constexpr FirstKey kFirstKeys[] = {
    {"write", bit(Scope::kWrite), "sends events, may stand in pages"},
    {"api", bit(Scope::kDecide) | bit(Scope::kRead), "asks for decisions, reads"},
    {"admin", bit(Scope::kAdmin), "everything in this workspace"},
};

Result<std::string> folder_of(const Settings& settings) {
  if (!settings.http.workspaces.empty()) return settings.http.workspaces;
  return Error{Code::kInvalid, "which folder holds the workspaces?", "server.workspaces",
               "name it with --workspaces, as attune serve does"};
}

// A workspace with its first keys in a folder that no server looks at.
Result<std::vector<NewKey>> make(const Settings& settings, const std::string& path) {
  TRY(EngineOptions options, engine_options(settings.engine));
  options.workspace = path;
  options.is_ticking = false;
  TRY(const auto engine, Engine::open(options));
  ApiKeys keys(*engine);
  std::vector<NewKey> made;
  for (const FirstKey& first : kFirstKeys) {
    TRY(NewKey key, keys.create(first.name, first.scopes));
    made.push_back(std::move(key));
  }
  TRY_OK(engine->close());
  return made;
}

void print_keys(const std::string& path, const std::vector<NewKey>& keys, bool is_json) {
  std::string out;
  JsonWriter json(out);
  json.begin_object().field("path", path).key("keys").begin_object();
  for (std::size_t i = 0; i < keys.size(); ++i) {
    json.field(kFirstKeys[i].name, keys[i].key);
    if (!is_json) {
      std::printf("%-6s %s  %s\n", kFirstKeys[i].name, keys[i].key.c_str(), kFirstKeys[i].what_for);
    }
  }
  json.end_object().end_object();
  if (is_json) std::printf("%s\n", out.c_str());
}

Status create(const WorkspaceOptions& options) {
  Settings settings;
  TRY_OK(load(*options.given, settings));
  TRY(const std::string folder, folder_of(settings));
  if (!is_workspace_name(options.name)) {
    return Error{Code::kInvalid, fmt::format("\"{}\" is no name of a workspace", options.name),
                 "name", "1-64 of a-z, 0-9, - and _, the first a letter or digit"};
  }
  const std::string path = folder + "/" + options.name;
  const std::string hidden = fmt::format("{}/.{}.{}", folder, options.name, ::getpid());
  if (fs::exists(path)) {
    return Error{Code::kConflict, "there is " + path + " already", "name", "choose another name"};
  }
  std::error_code error;
  const auto keys = make(settings, hidden);
  if (keys.ok()) fs::rename(hidden, path, error);
  if (!keys.ok() || error) {
    std::error_code ignored;
    fs::remove_all(hidden, ignored);
    if (!keys.ok()) return keys.error();
    return Error{Code::kUnavailable, fmt::format("cannot make {}: {}", path, error.message())};
  }
  print_keys(path, *keys, options.is_json);
  std::fprintf(stderr,
               "attune: made %s; note the keys now, nobody can tell them later; a running server "
               "sees it within 2 s\n",
               path.c_str());
  return ok_status();
}

Status list(const WorkspaceOptions& options) {
  Settings settings;
  TRY_OK(load(*options.given, settings));
  TRY(const std::string folder, folder_of(settings));
  std::string out;
  JsonWriter json(out);
  json.begin_object().key("workspaces").begin_array();
  for (const std::string& name : workspace_names(folder)) {
    const std::string holder = holder_of_workspace(folder + "/" + name);
    const std::string state = holder.empty() ? "stopped" : "used by process " + holder;
    json.begin_object().field("name", name).field("path", folder + "/" + name);
    json.field("is_in_use", !holder.empty()).end_object();
    if (!options.is_json) std::printf("%-24s %s\n", name.c_str(), state.c_str());
  }
  json.end_array().end_object();
  if (options.is_json) std::printf("%s\n", out.c_str());
  return ok_status();
}

}  // namespace

void add_workspace(Command& app, Action& chosen) {
  Command* workspace =
      add_command(app, kOperateGroup, "workspace", "Workspaces that one server serves together",
                  "attune workspace create shop --workspaces /srv/attune\n"
                  "attune workspace list --workspaces /srv/attune");
  workspace->require_subcommand(1);
  const auto add = [&](Command* command, const std::shared_ptr<WorkspaceOptions>& options,
                       Status (*work)(const WorkspaceOptions&),
                       const std::vector<SettingFlag>& flags) {
    options->given = add_settings(*command, flags);
    command->add_flag("--json", options->is_json, "one JSON object on stdout");
    command->callback([=, &chosen] { chosen = [=] { return work(*options); }; });
  };
  const auto made = std::make_shared<WorkspaceOptions>();
  Command* command = add_command(*workspace, "Commands", "create",
                                 "Makes a workspace and prints its first keys, this once",
                                 "attune workspace create shop --workspaces /srv/attune\n"
                                 "attune workspace create bazaar --workspaces /srv/attune "
                                 "--time-zone Asia/Shanghai");
  command->add_option("name", made->name, "of its folder")->required()->type_name("NAME");
  add(command, made, create,
      {{"--workspaces", "server.workspaces"}, {"--time-zone", "workspace.time_zone"}});
  add(add_command(*workspace, "Commands", "list", "Every workspace, and whether it is in use",
                  "attune workspace list --workspaces /srv/attune --json"),
      std::make_shared<WorkspaceOptions>(), list, {{"--workspaces", "server.workspaces"}});
}

}  // namespace attune
