// attune serve: settings, log, engine and HTTP server, until a signal says stop.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <filesystem>

#include "api/app.h"
#include "api/http_server.h"
#include "base/json.h"
#include "base/version.h"
#include "cli/commands.h"
#include "cli/help.h"
#include "cli/plan.h"
#include "cli/settings.h"
#include "engine/engine.h"

namespace attune {
namespace {

Error no_keys() {
  return {Code::kInvalid, "no key is set: nobody could use the server", "",
          "set ATTUNE_WRITE_KEY, ATTUNE_API_KEY and ATTUNE_ADMIN_KEY"};
}

// The keys stored in the workspace; those of the environment when it has none yet.
Status seed_keys(ApiKeys& keys, Log& log) {
  TRY(const auto in_vain, keys.seed([](const char* name) { return std::getenv(name); }));
  for (const std::string& variable : in_vain) {
    log.write(LogLevel::kWarn, "key_not_used", {{"variable", variable}});
    std::fprintf(stderr,
                 "attune: %s is not a key of this workspace, which has keys already: not used\n",
                 variable.c_str());
  }
  return keys.list().empty() ? Status(no_keys()) : ok_status();
}

bool has_keys_in_environment() {
  return std::any_of(std::begin(kKeySeeds), std::end(kKeySeeds), [](const KeySeed& seed) {
    const char* value = std::getenv(seed.variable);
    return value != nullptr && *value != '\0';
  });
}

ApiOptions api_options(const Settings& settings, const EventMapping& mapping, Clock clock) {
  ApiOptions options = settings.api;
  options.collect = settings.collect.limits;
  options.collect.mapping = &mapping;
  options.is_event_clock = clock == Clock::kEvent;
  options.slow_request_ms = settings.log.slow_request_ms;
  return options;
}

// Before any thread starts, so that all of them leave the signals to wait().
class StopSignal {
 public:
  StopSignal() {
    sigemptyset(&signals_);
    sigaddset(&signals_, SIGINT);
    sigaddset(&signals_, SIGTERM);
    pthread_sigmask(SIG_BLOCK, &signals_, nullptr);
  }
  void wait() const {
    int signal = 0;
    sigwait(&signals_, &signal);
  }

 private:
  sigset_t signals_;
};

Time wall_clock() {
  return std::chrono::time_point_cast<Duration>(std::chrono::system_clock::now());
}

// The file's plan becomes the workspace's by a control record, unless it is that already.
Status adopt_plan(Engine& engine, const std::string& path) {
  if (path.empty()) return ok_status();
  TRY(const Plan plan, read_plan(path));
  const std::string text = plan.toml();
  if (engine.catalog()->plan() == text) return ok_status();
  std::string change;
  JsonWriter(change).begin_object().field("op", "put_plan").field("plan", text).end_object();
  return engine.control({change});
}

Status serve_until_stopped(const Settings& settings, const EngineOptions& engine_options,
                           Log& log) {
  TRY(HttpOptions http, http_options(settings.http));
  const StopSignal stop;
  TRY(const auto engine, Engine::open(engine_options));
  TRY_OK(adopt_plan(*engine, settings.engine.plan_file));
  ApiKeys keys(*engine);
  TRY_OK(seed_keys(keys, log));
  const EventMapping mapping = make_mapping(settings.collect.verbs);
  App app(*engine, keys, api_options(settings, mapping, engine->clock()), &log);
  http.on_refused = [&app](int status, std::string_view id) { app.note_refused(status, id); };
  TRY(const auto server, HttpServer::start(http, [&app](HttpRequest&& request, Respond respond) {
        app.handle(std::move(request), std::move(respond));
      }));
  log.write(LogLevel::kInfo, "server_started", {{"host", http.host}, {"port", server->port()}});
  std::fprintf(stderr, "attune: serving %s on http://%s:%d\n", engine_options.workspace.c_str(),
               http.host.c_str(), server->port());
  stop.wait();
  std::fprintf(stderr, "attune: stopping\n");
  server->drain(settings.http.drain_s);
  TRY_OK(engine->close());
  log.write(LogLevel::kInfo, "server_stopped");
  return ok_status();
}

Status serve(const GivenSettings& given) {
  Settings settings;
  TRY_OK(load(given, settings));
  TRY(EngineOptions options, engine_options(settings.engine));
  TRY(const HttpOptions http, http_options(settings.http));
  (void)http;
  // Before a workspace is made that nobody could use.
  if (!std::filesystem::exists(options.workspace + "/journal") && !has_keys_in_environment()) {
    return no_keys();
  }
  TRY(const auto log, Log::open(settings.log, wall_clock));
  options.settings = settings.config.values_json();
  options.log = log.get();
  log->write(LogLevel::kInfo, "starting",
             {{"version", kVersion},
              {"settings_hash", settings_hash(options.settings)},
              {"changed", settings.config.changed_json()}});
  Status status = serve_until_stopped(settings, options, *log);
  if (!status.ok()) {
    log->write(LogLevel::kError, "server_failed", {{"message", status.error().message}});
  }
  return status;
}

}  // namespace

void add_serve(CLI::App& app, Action& chosen) {
  CLI::App* command =
      add_command(app, kRunGroup, "serve", "Serves HTTP until it is told to stop",
                  "attune serve --workspace shop --listen 127.0.0.1:8090\n"
                  "attune serve --config attune.toml --memory 512M\n"
                  "attune serve --workspace shop --set workspace.retention_s=31536000");
  const auto given = add_settings(*command, {kWorkspaceFlag,
                                             {"--listen", "server.listen"},
                                             {"--memory", "workspace.memory_bytes"},
                                             {"--threads", "server.threads"},
                                             {"--plan", "workspace.plan"},
                                             {"--shards", "workspace.shards"},
                                             {"--clock", "workspace.clock"},
                                             {"--retention-s", "workspace.retention_s"},
                                             {"--checkpoint-s", "workspace.checkpoint_s"},
                                             {"--full-disk-share", "workspace.full_disk_share"},
                                             {"--log-level", "log.level"},
                                             {"--log-file", "log.file"}});
  command->callback([given, &chosen] { chosen = [given] { return serve(*given); }; });
}

}  // namespace attune
