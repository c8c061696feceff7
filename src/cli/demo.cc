// `attune start`: an engine, its HTTP server and simulated people, in one process.
#include <fmt/format.h>
#include <unistd.h>

#include <cstdio>
#include <filesystem>
#include <optional>

#include "api/app.h"
#include "api/http_server.h"
#include "base/command_line.h"
#include "cli/client.h"
#include "cli/commands.h"
#include "cli/data_player.h"
#include "cli/help.h"
#include "cli/interrupt.h"
#include "cli/player.h"
#include "cli/screen.h"
#include "cli/words.h"
#include "engine/engine.h"
#include "feature/plan.h"

namespace attune {
namespace {

constexpr std::size_t kConnections = 4;
constexpr double kWorldTickSeconds = 600;
constexpr double kDataTickSeconds = 3600;  // a larger catalog: a tick costs more

struct StartOptions {
  std::uint64_t seed = 1;
  int impressions = 50'000;
  std::string data;       // folder of sequences; empty: the simulated world
  std::string set;        // of them
  int questions = 4000;   // about the data
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
    std::error_code none;  // then TMPDIR names no folder
    folder.path = std::filesystem::temp_directory_path(none) / "attune-demo-XXXXXX";
    if (none || !::mkdtemp(folder.path.data())) {
      const char* wanted_parent = std::getenv("TMPDIR");
      return Error{Code::kUnavailable,
                   fmt::format("cannot make a temporary folder in {}",
                               wanted_parent ? wanted_parent : "/tmp"),
                   "", "set TMPDIR to a folder you may write to, or name one with --workspace"};
    }
    folder.is_temporary = true;
    return folder;
  }
  folder.path = wanted;
  std::error_code unreadable;  // then the engine says so
  if (std::filesystem::exists(wanted + "/journal", unreadable)) {
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

// Broken into lines of the terminal's width; elsewhere as it is.
void print(const std::string& line) {
  const bool is_terminal = ::isatty(STDOUT_FILENO) != 0;
  for (const std::string& part : wrap(line, is_terminal ? Screen::width() : line.size() + 1)) {
    std::printf("%s\n", part.c_str());
  }
}

// What both players have: run(), say_result(), report_json(), decision_lines(), decision_id().
template <class AnyPlayer>
Status play(AnyPlayer& player, Screen& screen, const StartOptions& options) {
  if (Status played = player.run(); !played.ok()) {
    screen.keep();
    return played;
  }
  player.say_result();
  if (options.is_json) {
    TRY(const std::string report, player.report_json());
    std::printf("%s\n", report.c_str());
  } else {
    TRY(const auto lines, player.decision_lines());
    for (const std::string& line : lines) print(line);
    std::fflush(stdout);
  }
  if (!options.workspace.empty()) {
    screen.say("");
    screen.say(fmt::format(fmt::runtime(words_of_environment().kept), options.workspace,
                           player.decision_id()));
  }
  return ok_status();
}

Status play_on(std::uint16_t port, const std::string& key, const StartOptions& options,
               const Sequences* sequences) {
  TRY(std::vector<Client> clients, connect_all(port, key));
  const std::string address = fmt::format("http://127.0.0.1:{}", port);
  Screen screen;
  if (sequences) {
    DataPlayer player({.seed = options.seed,
                       .questions = static_cast<std::uint64_t>(options.questions),
                       .address = address},
                      *sequences, std::move(clients), screen, words_of_environment());
    return play(player, screen, options);
  }
  Player player({.seed = options.seed,
                 .impressions = static_cast<std::uint64_t>(options.impressions),
                 .address = address},
                std::move(clients), screen, words_of_environment());
  return play(player, screen, options);
}

// The people are simulated and their tastes go by age and gender, among others: the demo says so,
// where a workspace of real people would have to.
Plan demo_plan() {
  Plan plan = new_plan();
  plan.sensitive.allow = {"gender"};
  return plan;
}

Status start_demo(const StartOptions& options) {
  const Interrupt interrupt;
  std::optional<Sequences> sequences;
  if (!options.data.empty()) {
    TRY(sequences, read_sequences(options.data, options.set));
  }
  TRY(const Folder folder, make_folder(options.workspace));
  EngineOptions engine_options;
  engine_options.workspace = folder.path;
  engine_options.clock = Clock::kEvent;
  engine_options.event_tick_s = sequences ? kDataTickSeconds : kWorldTickSeconds;
  TRY(const auto engine, Engine::open(engine_options));
  TRY_OK(engine->control({put_plan_json(demo_plan())}));
  ApiKeys keys(*engine);
  TRY(const NewKey key, keys.create("demo", bit(Scope::kAdmin)));
  App app(*engine, keys, {.is_event_clock = true});
  HttpOptions http;
  http.threads = 2;
  TRY(const auto server, HttpServer::start(http, [&app](HttpRequest&& request, Respond respond) {
        app.handle(std::move(request), std::move(respond));
      }));
  Status played = play_on(server->port(), key.key, options, sequences ? &*sequences : nullptr);
  server->drain(2);
  TRY_OK(engine->close());
  return played;
}

}  // namespace

void add_start(Command& app, Action& chosen) {
  const auto options = std::make_shared<StartOptions>();
  Command* command =
      add_command(app, kRunGroup, "start", "Plays a simulated audience and shows the policy learn",
                  "attune start\nattune start --impressions 200000 --seed 2 --workspace demo\n"
                  "attune start --data FOLDER           play real sequences instead");
  command->add_option("--seed", options->seed, "seed of the simulated world");
  command->add_option("--impressions", options->impressions, "impressions to play")
      ->check(range(1000, 10'000'000));
  command->add_option("--data", options->data,
                      "play real sequences of this folder instead (amazon-s3rec-sequences)");
  command->add_option("--set", options->set, "which of them: Beauty, ...");
  command->add_option("--questions", options->questions, "with --data: slates asked for, about")
      ->check(range(1, 1'000'000));
  command->add_option("--workspace", options->workspace, "keep the workspace in this new folder");
  command->add_flag("--json", options->is_json, "one JSON object on stdout");
  command->callback([options, &chosen] { chosen = [options] { return start_demo(*options); }; });
}

}  // namespace attune
