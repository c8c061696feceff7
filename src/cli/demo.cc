// `attune start`: an engine, its HTTP server and simulated people, in one process.
#include <fmt/format.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <filesystem>

#include "api/app.h"
#include "api/http_server.h"
#include "cli/client.h"
#include "cli/commands.h"
#include "cli/help.h"
#include "cli/player.h"
#include "cli/screen.h"
#include "cli/words.h"
#include "engine/engine.h"

namespace attune {
namespace {

constexpr std::size_t kConnections = 4;

struct StartOptions {
  std::uint64_t seed = 1;
  int impressions = 50'000;
  std::string workspace;  // empty: a temporary one
  bool is_json = false;
};

// A folder that goes when the demo ends, unless the user named one.
struct Folder {
  std::string path;
  bool is_temporary = false;
  Folder() = default;
  Folder(Folder&& other) noexcept
      : path(std::move(other.path)), is_temporary(std::exchange(other.is_temporary, false)) {}
  Folder& operator=(Folder&&) = delete;
  ~Folder() {
    std::error_code ignored;
    if (is_temporary) std::filesystem::remove_all(path, ignored);
  }
};

Result<Folder> make_folder(const std::string& wanted) {
  Folder folder;
  if (wanted.empty()) {
    folder.path = std::filesystem::temp_directory_path() / "attune-demo-XXXXXX";
    if (!::mkdtemp(folder.path.data())) {
      return Error{Code::kUnavailable, "cannot make " + folder.path, "",
                   "set TMPDIR to a writable folder"};
    }
    folder.is_temporary = true;
    return folder;
  }
  folder.path = wanted;
  if (std::filesystem::exists(wanted + "/journal")) {
    return Error{Code::kInvalid, "there is a workspace at " + wanted + " already", "workspace",
                 "the demo plays in a new one: name another folder"};
  }
  return folder;
}

Result<std::vector<Client>> connect_all(std::uint16_t port, const std::string& key) {
  std::vector<Client> clients;
  for (std::size_t i = 0; i < kConnections; ++i) {
    TRY(Client client, Client::connect("127.0.0.1", port, key));
    clients.push_back(std::move(client));
  }
  return clients;
}

Status play_world(const StartOptions& options, std::uint16_t port, const std::string& key,
                  const std::string& kept) {
  TRY(std::vector<Client> clients, connect_all(port, key));
  Screen screen;
  const Words& words = words_of_environment();
  Player player({.seed = options.seed,
                 .impressions = static_cast<std::uint64_t>(options.impressions),
                 .address = fmt::format("http://127.0.0.1:{}", port)},
                std::move(clients), screen, words);
  TRY_OK(player.run());
  player.say_result();
  if (options.is_json) {
    TRY(const std::string report, player.report_json());
    std::printf("%s\n", report.c_str());
  } else {
    TRY(const auto lines, player.decision_lines());
    for (const std::string& line : lines) std::printf("%s\n", line.c_str());
    std::fflush(stdout);
  }
  if (!kept.empty()) {
    screen.say("");
    screen.say(fmt::format(fmt::runtime(words.kept), kept, player.decision_id()));
  }
  return ok_status();
}

Status start_demo(const StartOptions& options) {
  TRY(const Folder folder, make_folder(options.workspace));
  EngineOptions engine_options;
  engine_options.workspace = folder.path;
  engine_options.clock = Clock::kEvent;
  engine_options.event_tick_s = 600;
  TRY(const auto engine, Engine::open(engine_options));
  ApiKeys keys(*engine);
  TRY(const NewKey key, keys.create("demo", bit(Scope::kAdmin)));
  App app(*engine, keys, {.is_event_clock = true});
  HttpOptions http;
  http.threads = 2;
  TRY(const auto server, HttpServer::start(http, [&app](HttpRequest&& request, Respond respond) {
        app.handle(std::move(request), std::move(respond));
      }));
  const Status played = play_world(options, server->port(), key.key, options.workspace);
  server->drain(2);
  TRY_OK(engine->close());
  return played;
}

}  // namespace

void add_start(CLI::App& app, Action& chosen) {
  const auto options = std::make_shared<StartOptions>();
  CLI::App* command =
      add_command(app, kRunGroup, "start", "Plays a simulated audience and shows the policy learn",
                  "attune start\nattune start --impressions 200000 --seed 2 --workspace demo");
  command->add_option("--seed", options->seed, "seed of the simulated world");
  command->add_option("--impressions", options->impressions, "impressions to play")
      ->check(CLI::Range(1000, 10'000'000));
  command->add_option("--workspace", options->workspace, "keep the workspace in this new folder");
  command->add_flag("--json", options->is_json, "one JSON object on stdout");
  command->callback([options, &chosen] { chosen = [options] { return start_demo(*options); }; });
}

}  // namespace attune
