// Commands that look into a stopped workspace.
#include <CLI/CLI.hpp>
#include <cinttypes>
#include <cstdio>
#include <filesystem>

#include "base/json.h"
#include "cli/commands.h"
#include "cli/decision_table.h"
#include "cli/help.h"
#include "cli/words.h"
#include "engine/engine.h"

namespace attune {
namespace {

// Looking must not make a workspace.
Status require_workspace(const std::string& workspace) {
  if (std::filesystem::is_directory(workspace + "/journal")) return ok_status();
  return Error{Code::kNotFound, "no workspace at " + workspace, "workspace",
               "name the folder that attune serve uses with --workspace"};
}

Result<VerifyReport> rebuild(const std::string& workspace, int shards) {
  EngineOptions options;
  options.workspace = workspace;
  options.is_ticking = false;
  TRY(const auto engine, Engine::open(options));
  TRY(VerifyReport report, engine->verify(shards));
  TRY_OK(engine->close());
  return report;
}

Status explain(const std::string& workspace, const std::string& decision_id, bool is_json) {
  TRY_OK(require_workspace(workspace));
  EngineOptions options;
  options.workspace = workspace;
  options.is_ticking = false;
  TRY(const auto engine, Engine::open(options));
  TRY(const Decision decision, engine->find_decision(decision_id));
  const std::string json = decision_json(decision, true);
  if (is_json) {
    std::printf("%s\n", json.c_str());
    return ok_status();
  }
  std::unordered_map<std::string, std::string> categories;
  for (const auto& item : engine->catalog()->items()) categories[item->id] = item->category;
  TRY(const auto lines, decision_table(json, "", categories, words_of_environment()));
  for (const std::string& line : lines) std::printf("%s\n", line.c_str());
  return ok_status();
}

Status replay_verify(const std::string& workspace, int shards, bool is_json) {
  TRY_OK(require_workspace(workspace));
  TRY(const VerifyReport report, rebuild(workspace, shards));
  const auto &once = report.live, &again = report.rebuilt;
  std::string out;
  JsonWriter json(out);
  json.begin_object().field("equal", once == again).key("folds").begin_object();
  for (std::size_t i = 0; i < once.size(); ++i) {
    json.field(once[i].fold, once[i].hash);
    if (!is_json) {
      std::printf("%-16s %016" PRIx64 " %s\n", once[i].fold.c_str(), once[i].hash,
                  once[i] == again[i] ? "equal" : "DIFFERS");
    }
  }
  json.end_object().end_object();
  if (is_json) std::printf("%s\n", out.c_str());
  if (once == again) return ok_status();
  return Error{Code::kCorrupt, "replay: state and rebuild of " + workspace + " differ", "",
               "report this with the fold's name"};
}

struct InspectOptions {
  std::string workspace = "attune-workspace";
  std::string decision_id;
  int shards = 1;
  bool is_verify = false;
  bool is_json = false;
};

}  // namespace

void add_explain(CLI::App& app, Action& chosen) {
  const auto options = std::make_shared<InspectOptions>();
  CLI::App* command = add_command(app, kUnderstandGroup, "explain", "Why a decision was made",
                                  "attune explain --workspace shop d_01...");
  command->add_option("id", options->decision_id, "decision id")->required();
  command->add_option("--workspace", options->workspace, "folder of the workspace");
  command->add_flag("--json", options->is_json, "one JSON object on stdout");
  command->callback([options, &chosen] {
    chosen = [options] {
      return explain(options->workspace, options->decision_id, options->is_json);
    };
  });
}

void add_replay(CLI::App& app, Action& chosen) {
  const auto options = std::make_shared<InspectOptions>();
  CLI::App* command = add_command(
      app, kUnderstandGroup, "replay", "Rebuilds all state from the journal",
      "attune replay --verify --workspace shop\nattune replay --verify --workspace shop --shards 7 "
      "--json");
  command->add_option("--workspace", options->workspace, "folder of the workspace");
  command->add_option("--shards", options->shards, "partitions to rebuild with")
      ->check(CLI::Range(1, 64));
  command->add_flag("--verify", options->is_verify, "compare with the live state");
  command->add_flag("--json", options->is_json, "one JSON object on stdout");
  command->callback([options, &chosen] {
    chosen = [options] {
      return replay_verify(options->workspace, options->shards, options->is_json);
    };
  });
}

}  // namespace attune
