#include <CLI/CLI.hpp>
#include <csignal>
#include <cstdio>
#include <cstdlib>

#include "api/app.h"
#include "api/http_server.h"
#include "cli/commands.h"
#include "engine/engine.h"

namespace attune {
namespace {

struct ServeOptions {
  std::string workspace = "attune-workspace";
  std::string listen = "127.0.0.1:8090";
  bool is_event_clock = false;
  int threads = 1;
};

// The keys stored in the workspace; those of the environment when it has none yet.
Status seed_keys(ApiKeys& keys) {
  TRY(const auto in_vain, keys.seed([](const char* name) { return std::getenv(name); }));
  for (const std::string& variable : in_vain) {
    std::fprintf(stderr,
                 "attune: %s is not a key of this workspace, which has keys already: not used\n",
                 variable.c_str());
  }
  if (!keys.list().empty()) return ok_status();
  return Error{Code::kInvalid, "no key is set: nobody could use the server", "",
               "set ATTUNE_WRITE_KEY, ATTUNE_API_KEY and ATTUNE_ADMIN_KEY"};
}

Result<std::pair<std::string, std::uint16_t>> parse_listen(const std::string& listen) {
  const auto colon = listen.rfind(':');
  const int port = colon == std::string::npos ? -1 : std::atoi(listen.c_str() + colon + 1);
  if (port < 0 || port > 65535 || colon == 0) {
    return Error{Code::kInvalid, "--listen " + listen + ": must be HOST:PORT", "listen",
                 "for example --listen 127.0.0.1:8090"};
  }
  return std::pair(listen.substr(0, colon), static_cast<std::uint16_t>(port));
}

Status serve(const ServeOptions& options) {
  TRY(const auto address, parse_listen(options.listen));
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGINT);
  sigaddset(&signals, SIGTERM);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);  // before any thread starts
  EngineOptions engine_options;
  engine_options.workspace = options.workspace;
  engine_options.clock = options.is_event_clock ? Clock::kEvent : Clock::kWall;
  TRY(const auto engine, Engine::open(engine_options));
  ApiKeys keys(*engine);
  TRY_OK(seed_keys(keys));
  App app(*engine, keys, {.is_event_clock = options.is_event_clock});
  HttpOptions http;
  http.host = address.first;
  http.port = address.second;
  http.threads = options.threads;
  http.on_refused = [&app](int status, std::string_view id) { app.note_refused(status, id); };
  TRY(const auto server, HttpServer::start(http, [&app](HttpRequest&& request, Respond respond) {
        app.handle(std::move(request), std::move(respond));
      }));
  std::fprintf(stderr, "attune: serving %s on http://%s:%d\n", options.workspace.c_str(),
               address.first.c_str(), server->port());
  int signal = 0;
  sigwait(&signals, &signal);
  std::fprintf(stderr, "attune: stopping\n");
  server->drain(10);
  return engine->close();
}

}  // namespace

void add_serve(CLI::App& app, Action& chosen) {
  const auto options = std::make_shared<ServeOptions>();
  CLI::App* command = app.add_subcommand(
      "serve", "attune serve --workspace shop --listen 127.0.0.1:8090      serve HTTP");
  command->add_option("--workspace", options->workspace, "folder of the workspace");
  command->add_option("--listen", options->listen, "HOST:PORT");
  command->add_option("--threads", options->threads, "HTTP threads")->check(CLI::Range(1, 64));
  command->add_flag("--event-clock", options->is_event_clock, "time follows the events' own times");
  command->callback([options, &chosen] { chosen = [options] { return serve(*options); }; });
}

}  // namespace attune
