// Commands that look into a workspace: a decision explained, all state rebuilt and compared.
#include <cinttypes>
#include <cstdio>

#include "base/command_line.h"
#include "base/json.h"
#include "cli/access.h"
#include "cli/commands.h"
#include "cli/decision_table.h"
#include "cli/explain_model.h"
#include "cli/help.h"
#include "cli/output.h"
#include "cli/words.h"

namespace attune {
namespace {

struct InspectOptions {
  Place place;
  std::string decision_id;
  int shards = 1;
  bool is_verify = false;
  bool is_json = false;
};

using Categories = std::unordered_map<std::string, std::string>;

Result<std::string> find(const InspectOptions& options, Categories& categories) {
  if (!options.place.server.empty()) {
    TRY(Client client, connect_admin(options.place.server));
    return client.call("GET", "/api/v1/decisions/" + percent_encoded(options.decision_id), "");
  }
  TRY(const auto engine, open_stopped(options.place.workspace));
  TRY(const Decision decision, engine->find_decision(options.decision_id));
  for (const auto& item : engine->catalog()->items()) categories[item->id] = item->category;
  return decision_json(decision, true);
}

Status explain(const InspectOptions& options, const ExplainModelOptions& of_model) {
  if (!of_model.model.empty()) return explain_model(of_model);
  if (options.decision_id.empty()) {
    return Error{Code::kInvalid, "explain: name a decision, or a model with --model", "id",
                 "attune explain --help shows how"};
  }
  Categories categories;
  TRY(const std::string decision, find(options, categories));
  if (options.is_json) {
    std::printf("%s\n", decision.c_str());
    return ok_status();
  }
  TRY(const auto lines, decision_table(decision, "", categories, words_of_environment()));
  print_lines(lines);
  return ok_status();
}

void print_report(const VerifyReport& report) {
  for (std::size_t i = 0; i < report.live.size(); ++i) {
    std::printf("%-16s %016" PRIx64 " %s\n", report.live[i].fold.c_str(), report.live[i].hash,
                report.live[i] == report.rebuilt[i] ? "equal" : "DIFFERS");
  }
  const RowReport& rows = report.rows;
  std::printf("%-16s %" PRIu64 " of %" PRIu64 " decisions recomputed bit for bit, %" PRIu64
              " differ\n",
              "feature_rows", rows.rows, rows.decisions, rows.differing);
  if (rows.not_comparable != 0) {
    std::printf("%-16s %" PRIu64
                " decisions from before a cut, or made of an identity since erased\n",
                "  not comparable", rows.not_comparable);
  }
  if (rows.erased != 0) {
    std::printf("%-16s %" PRIu64 " decisions of persons since erased\n", "  unreadable",
                rows.erased);
  }
}

std::string report_json(const VerifyReport& report) {
  std::string out;
  JsonWriter json(out);
  json.begin_object().field("equal", report.is_equal).key("folds").begin_object();
  for (const FoldHash& fold : report.live) json.field(fold.fold, fold.hash);
  json.end_object().key("differing_folds").begin_array();
  for (std::size_t i = 0; i < report.live.size(); ++i) {
    if (!(report.live[i] == report.rebuilt[i])) json.value(report.live[i].fold);
  }
  const RowReport& rows = report.rows;
  json.end_array().key("feature_rows").begin_object().field("decisions", rows.decisions);
  json.field("rows", rows.rows).field("differing", rows.differing);
  json.field("not_comparable", rows.not_comparable).field("erased", rows.erased);
  json.field("first_difference", rows.first_difference).end_object().end_object();
  return out;
}

Status replay_verify(const InspectOptions& options) {
  if (!options.is_verify) {
    return Error{Code::kInvalid, "replay has nothing else to do yet", "verify", "add --verify"};
  }
  TRY(const auto engine, open_stopped(options.place.workspace));
  TRY(const VerifyReport report, engine->verify(options.shards));
  TRY_OK(engine->close());
  if (options.is_json) {
    std::printf("%s\n", report_json(report).c_str());
  } else {
    print_report(report);
  }
  if (report.is_equal) return ok_status();
  if (report.rows.differing != 0) {
    return Error{Code::kCorrupt, "replay: " + report.rows.first_difference, "",
                 "the record was changed, or this program makes rows in another way than the one "
                 "that wrote it"};
  }
  return Error{Code::kCorrupt,
               "replay: state and rebuild of " + options.place.workspace + " differ", "",
               "report this with the fold's name"};
}

}  // namespace

void add_explain(Command& app, Action& chosen) {
  const auto options = std::make_shared<InspectOptions>();
  const auto of_model = std::make_shared<ExplainModelOptions>();
  Command* command = add_command(
      app, kUnderstandGroup, "explain", "Why a decision was made, or what a model predicts by",
      "attune explain --workspace shop d_01...\n"
      "attune explain --model bank.attune --row 3 bank.csv    the parts of a prediction\n"
      "attune explain --model bank.attune --top 20            the largest weights\n"
      "attune explain --model bank.attune --importance bank.csv\n"
      "attune explain --model bank.attune --column age bank.csv\n"
      "attune explain --model bank.attune --row 3 --counterfactual bank.csv");
  command->add_option("id", options->decision_id, "decision id, or with --model a file of rows");
  command->add_option("--workspace", options->place.workspace, "folder of the workspace");
  command->add_option("--server", options->place.server,
                      "ask a running server instead, with the key in ATTUNE_ADMIN_KEY");
  command->add_option("--model", of_model->model, "file of a model, by attune train");
  command->add_option("--row", of_model->row, "explain the prediction of this row of the file")
      ->check(range(1, 2'000'000'000));
  command->add_option("--top", of_model->top, "of how many weights or parts")
      ->check(range(1, 1'000'000));
  command->add_flag("--importance", of_model->is_importance,
                    "how much each column of the file matters: what mixing it up costs");
  command->add_option("--column", of_model->column,
                      "how predictions depend on this column of the file");
  command->add_flag("--counterfactual", of_model->is_counterfactual,
                    "with --row: which one change would have moved the prediction most");
  command->add_option("--rows", of_model->rows, "rows of the file that are asked, drawn at random")
      ->check(range(1, 100'000));
  command->add_option("--seed", of_model->seed, "same seed, same rows");
  add_format_options(*command, of_model->file);
  command->add_flag("--json", options->is_json, "all of it as one JSON object");
  command->callback([options, of_model, &chosen] {
    of_model->file.file = options->decision_id;
    of_model->is_json = options->is_json;
    chosen = [options, of_model] { return explain(*options, *of_model); };
  });
}

void add_replay(Command& app, Action& chosen) {
  const auto options = std::make_shared<InspectOptions>();
  Command* command = add_command(
      app, kUnderstandGroup, "replay",
      "Rebuilds all state from the journal and compares; recomputes the rows of decisions",
      "attune replay --verify --workspace shop\nattune replay --verify --workspace shop --shards 7 "
      "--json");
  command->add_option("--workspace", options->place.workspace, "folder of the workspace");
  command->add_option("--shards", options->shards, "partitions to rebuild with")
      ->check(range(1, 64));
  command->add_flag("--verify", options->is_verify, "compare with the live state");
  command->add_flag("--json", options->is_json, "one JSON object on stdout");
  command->callback([options, &chosen] { chosen = [options] { return replay_verify(*options); }; });
}

}  // namespace attune
