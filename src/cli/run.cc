#include <CLI/CLI.hpp>
#include <cstdio>

#include "cli/commands.h"

namespace attune {
namespace {

int finish(const Status& status) {
  if (status.ok()) return 0;
  std::fprintf(stderr, "attune: %s\n", status.error().message.c_str());
  if (!status.error().hint.empty()) std::fprintf(stderr, "  %s\n", status.error().hint.c_str());
  return status.error().code == Code::kInvalid ? 2 : 1;
}

void add_start(CLI::App& app, StartOptions& options) {
  CLI::App* command = app.add_subcommand(
      "start", "attune start            play a simulated audience and watch the policy learn");
  command->add_option("--seed", options.seed, "seed of the simulated world");
  command->add_option("--impressions", options.impressions, "impressions to play")
      ->check(CLI::Range(1000, 10'000'000));
  command->add_option("--workspace", options.workspace, "keep the workspace in this new folder");
  command->add_flag("--json", options.is_json, "one JSON object on stdout");
}

void add_serve(CLI::App& app, ServeOptions& options) {
  CLI::App* command = app.add_subcommand(
      "serve", "attune serve --workspace shop --listen 127.0.0.1:8090      serve HTTP");
  command->add_option("--workspace", options.workspace, "folder of the workspace");
  command->add_option("--listen", options.listen, "HOST:PORT");
  command->add_option("--threads", options.threads, "HTTP threads")->check(CLI::Range(1, 64));
  command->add_flag("--event-clock", options.is_event_clock, "time follows the events' own times");
}

}  // namespace

int run_attune(int argc, char** argv) {
  CLI::App app{
      "Attune: learns from what people do and decides what to show next.\n\n"
      "  attune start                                     see it learn, offline\n"
      "  attune serve --workspace shop                    serve HTTP\n"
      "  attune explain --workspace shop d_01...          why a decision was made\n"
      "  attune replay --verify --workspace shop          rebuild all state and compare\n"};
  app.require_subcommand(1);
  ServeOptions serve_options;
  StartOptions start_options;
  std::string workspace = "attune-workspace", decision_id;
  int shards = 1;
  bool is_verify = false, is_json = false;
  add_start(app, start_options);
  add_serve(app, serve_options);
  CLI::App* explain_command = app.add_subcommand("explain", "Why a decision was made");
  explain_command->add_option("id", decision_id, "decision id")->required();
  explain_command->add_option("--workspace", workspace, "folder of the workspace");
  explain_command->add_flag("--json", is_json, "the output is JSON already");
  CLI::App* replay_command = app.add_subcommand("replay", "Rebuild all state from the journal");
  replay_command->add_option("--workspace", workspace, "folder of the workspace");
  replay_command->add_option("--shards", shards, "partitions to rebuild with")
      ->check(CLI::Range(1, 64));
  replay_command->add_flag("--verify", is_verify, "rebuild twice, with other shards, and compare");
  replay_command->add_flag("--json", is_json, "one JSON object on stdout");
  const auto is_named = [&](CLI::App* command) { return command->check_name(argv[1]); };
  if (argc > 1 && argv[1][0] != '-' && app.get_subcommands(is_named).empty()) {
    std::fprintf(stderr, "attune: no command %s; there are start, serve, explain and replay\n",
                 argv[1]);
    return 2;
  }
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : 2;
  }
  if (app.got_subcommand("serve")) return finish(serve(serve_options));
  if (app.got_subcommand("start")) return finish(start_demo(start_options));
  if (app.got_subcommand("explain")) return finish(explain(workspace, decision_id));
  return finish(replay_verify(workspace, shards, is_json));
}

}  // namespace attune
