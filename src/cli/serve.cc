// attune serve: settings, log, workspaces and HTTP server, until a signal says stop.
#include <fmt/format.h>

#include <algorithm>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <filesystem>

#include "base/command_line.h"
#include "base/version.h"
#include "cli/commands.h"
#include "cli/help.h"
#include "cli/serving.h"

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

// Before any thread starts, so that all of them leave the signals to wait().
class Signals {
 public:
  Signals() {
    sigemptyset(&signals_);
    for (const int signal : {SIGINT, SIGTERM, SIGHUP}) sigaddset(&signals_, signal);
    pthread_sigmask(SIG_BLOCK, &signals_, nullptr);
  }
  // Calls `look` every other second, and at once with true on SIGHUP, until told to stop.
  template <class Look>
  void wait(const Look& look) const {
    constexpr timespec kEvery{2, 0};
    for (;;) {
      const int signal = sigtimedwait(&signals_, nullptr, &kEvery);
      if (signal == SIGINT || signal == SIGTERM) return;
      look(signal == SIGHUP);
    }
  }

 private:
  sigset_t signals_;
};

void renew_certificate(TlsContext* tls, bool is_asked, Log& log) {
  if (tls == nullptr || (!is_asked && !tls->has_changed())) return;
  const Status status = tls->reload(wall_clock());
  if (!status.ok()) {
    return log.write(LogLevel::kError, "certificate_not_renewed",
                     {{"message", status.error().message}});
  }
  log.write(LogLevel::kInfo, "certificate_renewed", {{"ends", format_iso8601(tls->facts().ends)}});
}

// Serves until told to stop; `refresh` is called now and then.
Status serve_http(const Settings& settings, HttpOptions http, const Signals& signals, Log& log,
                  const Handler& handler, const std::function<void(bool is_asked)>& refresh) {
  TRY(const auto tls, load_tls(settings.http, wall_clock()));
  http.tls = tls;
  TRY(const auto server, HttpServer::start(http, handler));
  const char* const scheme = tls ? "https" : "http";
  const std::string& place = settings.http.workspaces.empty() ? settings.engine.options.workspace
                                                              : settings.http.workspaces;
  log.write(LogLevel::kInfo, "server_started",
            {{"scheme", scheme}, {"host", http.host}, {"port", server->port()}});
  std::fprintf(stderr, "attune: serving %s on %s://%s:%d\n", place.c_str(), scheme,
               http.host.c_str(), server->port());
  signals.wait([&](bool is_asked) {
    renew_certificate(tls.get(), is_asked, log);
    refresh(is_asked);
  });
  std::fprintf(stderr, "attune: stopping\n");
  server->drain(settings.http.drain_s);
  return ok_status();
}

Status serve_one(const Settings& settings, HttpOptions http, const Signals& signals, Log& log) {
  TRY(const auto served, open_served(settings, log));
  TRY_OK(seed_keys(*served->keys, log));
  App& app = *served->app;
  http.on_refused = [&app](int status, std::string_view id) { app.note_refused(status, id); };
  TRY_OK(serve_http(
      settings, std::move(http), signals, log,
      [&app](HttpRequest&& request, Respond respond) {
        app.handle(std::move(request), std::move(respond));
      },
      [](bool) {}));
  served->retraining.reset();
  return served->engine->close();
}

void say_states(const Workspaces& workspaces, const std::string& folder) {
  const auto states = workspaces.states();
  if (states.empty()) {
    std::fprintf(stderr, "attune: no workspace in %s yet: attune workspace create NAME makes one\n",
                 folder.c_str());
  }
  for (const WorkspaceState& state : states) {
    if (state.is_open) continue;
    std::fprintf(stderr, "attune: workspace %s is not served: %s\n", state.name.c_str(),
                 state.ready.error().message.c_str());
  }
}

// New workspaces and broken ones are tried with every look.
Status serve_all(const GivenSettings& given, const Settings& settings, HttpOptions http,
                 const Signals& signals, Log& log) {
  Workspaces workspaces(workspaces_options(given, settings, log));
  workspaces.refresh();
  say_states(workspaces, settings.http.workspaces);
  http.on_refused = [&](int status, std::string_view id) { workspaces.note_refused(status, id); };
  TRY_OK(serve_http(
      settings, std::move(http), signals, log,
      [&](HttpRequest&& request, Respond respond) {
        workspaces.handle(std::move(request), std::move(respond));
      },
      [&](bool) { workspaces.refresh(); }));
  return workspaces.close();
}

Status check_place(const Settings& settings) {
  const std::string& folder = settings.http.workspaces;
  if (!folder.empty()) {
    if (std::filesystem::is_directory(folder)) return ok_status();
    return Error{Code::kNotFound, "no folder at " + folder, "server.workspaces",
                 "attune workspace create NAME --workspaces " + folder + " makes it"};
  }
  // Before a workspace is made that nobody could use.
  if (std::filesystem::exists(settings.engine.options.workspace + "/journal")) return ok_status();
  return has_keys_in_environment() ? ok_status() : Status(no_keys());
}

Status serve(const GivenSettings& given) {
  Settings settings;
  TRY_OK(load(given, settings));
  TRY_OK(engine_options(settings.engine));
  TRY(const HttpOptions http, http_options(settings.http));
  TRY_OK(load_tls(settings.http, wall_clock()));
  TRY_OK(check_place(settings));
  const Signals signals;
  TRY(const auto log, Log::open(settings.log, wall_clock));
  log->write(LogLevel::kInfo, "starting",
             {{"version", kVersion},
              {"settings_hash", settings_hash(settings.config.values_json())},
              {"changed", settings.config.changed_json()}});
  const Status status = settings.http.workspaces.empty()
                            ? serve_one(settings, http, signals, *log)
                            : serve_all(given, settings, http, signals, *log);
  if (!status.ok()) {
    log->write(LogLevel::kError, "server_failed", {{"message", status.error().message}});
  } else {
    log->write(LogLevel::kInfo, "server_stopped");
  }
  return status;
}

}  // namespace

void add_serve(Command& app, Action& chosen) {
  Command* command =
      add_command(app, kRunGroup, "serve", "Serves HTTP or HTTPS until it is told to stop",
                  "attune serve --workspace shop --listen 127.0.0.1:8090\n"
                  "attune serve --config attune.toml --memory 512M\n"
                  "attune serve --workspace shop --listen 0.0.0.0:8443 --tls-cert shop.pem "
                  "--tls-key shop.key\n"
                  "attune serve --workspaces /srv/attune     every folder in it is a workspace\n"
                  "attune serve --workspace shop --set workspace.retention_s=31536000");
  const auto given = add_settings(*command, {kWorkspaceFlag,
                                             {"--workspaces", "server.workspaces"},
                                             {"--listen", "server.listen"},
                                             {"--tls-cert", "server.tls_cert"},
                                             {"--tls-key", "server.tls_key"},
                                             {"--memory", "workspace.memory_bytes"},
                                             {"--time-zone", "workspace.time_zone"},
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
