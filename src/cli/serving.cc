#include "cli/serving.h"

#include <fmt/format.h>

#include <filesystem>

#include "base/child.h"
#include "base/json.h"
#include "cli/plan.h"

namespace attune {
namespace {

// The file's plan becomes the workspace's by a control record, unless it is that already.
Status adopt_plan(Engine& engine, const std::string& path) {
  if (path.empty()) return ok_status();
  TRY(const Plan plan, read_plan(path));
  if (plan.is_for_table()) {
    return Error{Code::kInvalid, path + " is a plan of a table: its inputs are column.NAME",
                 "workspace.plan", "inputs of decisions are person.NAME, item.NAME, context.NAME"};
  }
  if (engine.catalog()->plan() == plan.toml()) return ok_status();
  return engine.control({put_plan_json(plan)});
}

bool is_of_server(const std::string& key) {
  return key.starts_with("server.") || key.starts_with("log.") || key == "workspace.path" ||
         key == "workspace.memory_bytes";
}

Status load_own(const std::string& file, Settings& settings) {
  if (!std::filesystem::exists(file)) return ok_status();
  TRY_OK(settings.config.load_file(file));
  for (const ConfigRow& row : settings.config.rows()) {
    if (!row.source.starts_with(file) || !is_of_server(row.key)) continue;
    return Error{Code::kInvalid, fmt::format("{}: {} is the server's", row.source, row.key),
                 row.key, "set it where the server is started, for all workspaces"};
  }
  return ok_status();
}

}  // namespace

Time wall_clock() {
  return std::chrono::time_point_cast<Duration>(std::chrono::system_clock::now());
}

Result<std::unique_ptr<ServedWorkspace>> open_served(const Settings& settings, Log& log) {
  TRY(EngineOptions engine, engine_options(settings.engine));
  engine.settings = settings.config.values_json();
  engine.log = &log;
  auto served = std::make_unique<ServedWorkspace>();
  served->mapping = make_mapping(settings.collect.verbs);
  TRY(served->engine, Engine::open(engine));
  TRY_OK(adopt_plan(*served->engine, settings.engine.plan_file));
  served->keys = std::make_unique<ApiKeys>(*served->engine);
  ApiOptions api = settings.api;
  api.collect = settings.collect.limits;
  api.collect.mapping = &served->mapping;
  api.is_event_clock = served->engine->clock() == Clock::kEvent;
  api.slow_request_ms = settings.log.slow_request_ms;
  served->app = std::make_unique<App>(*served->engine, *served->keys, api, &log);
  TRY_OK(check(settings.training));
  TRY(std::string program, own_program());
  served->retraining =
      std::make_unique<Retraining>(*served->engine, settings.engine.options.workspace,
                                   settings.training, std::move(program), &log);
  return served;
}

WorkspacesOptions workspaces_options(const GivenSettings& given, const Settings& settings,
                                     Log& log) {
  const std::string folder = settings.http.workspaces;
  const auto open = [given, folder, &log](
                        const std::string& name,
                        std::uint64_t memory_bytes) -> Result<std::unique_ptr<ServedWorkspace>> {
    Settings own;
    TRY_OK(load(given, own));
    const std::string path = folder + "/" + name;
    TRY_OK(load_own(path + "/attune.toml", own));
    own.engine.options.workspace = path;
    own.engine.options.memory_bytes = memory_bytes;
    // A name of a backup must not lead to another's.
    if (!own.api.backup_folder.empty()) own.api.backup_folder += "/" + name;
    auto own_log = std::make_unique<Log>(log, "workspace", name);
    TRY(auto served, open_served(own, *own_log));
    served->log = std::move(own_log);
    served->name = name;
    return served;
  };
  return {.folder = folder,
          .memory_bytes = settings.engine.options.memory_bytes,
          .open = open,
          .log = &log};
}

}  // namespace attune
