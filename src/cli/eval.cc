// attune eval: how good a saved model is on the rows of a file, as a whole and by slice.
#include <fmt/format.h>

#include <cmath>
#include <cstdio>
#include <filesystem>

#include "base/command_line.h"
#include "base/json.h"
#include "cli/calibration_report.h"
#include "cli/commands.h"
#include "cli/help.h"
#include "cli/journal_models.h"
#include "cli/measure_table.h"
#include "cli/model_input.h"
#include "cli/model_registry.h"
#include "cli/output.h"
#include "cli/train_screen.h"
#include "cli/words.h"
#include "learn/evaluation.h"
#include "learn/scoring.h"
#include "stat/paired_loss.h"
#include "stat/recalibration.h"

namespace attune {
namespace {

constexpr std::size_t kSlicesShown = 20;

struct EvalOptions {
  FileOptions file;
  std::string model, slice, group, workspace, svg;
  double threshold = 0.5;
  std::size_t k = 10;
  bool is_all = false;
  bool is_json = false;
};

struct Evaluated {
  bool is_binary = true;
  ScoringReport rows;
  std::uint64_t unlabelled = 0;
  std::uint64_t learned_from = 0;  // outcomes of a workspace left out, as the model knows them
  std::vector<Measure> measures;
  std::vector<SliceScores> slices;
  CalibrationView calibration;
};

// Each row is corrected by the map of its slice, then teaches it.
class Corrected {
 public:
  void add(std::string_view slice, float predicted, float label) {
    if (std::isnan(label)) return;
    const double p = static_cast<double>(predicted);
    losses_.add(map_.apply(slice, p), p, label > 0.5F);
    map_.learn(slice, p, label > 0.5F);
  }
  AsItGoes result() const {
    return {losses_.other_log_loss().value_or(0), losses_.log_loss().value_or(0), losses_.n()};
  }

 private:
  SliceRecalibration map_;
  PairedLoss losses_;
};

CalibrationView calibration_of(const EvalOptions& options, const Trained& trained,
                               const Evaluation& evaluation, const Evaluated& out) {
  CalibrationView view;
  const std::vector<TaskOptions>& tasks = trained.model->options().tasks;
  view.outcome = trained.rows                       ? trained.rows->plan().target
                 : !tasks.empty()                   ? tasks.front().name
                 : trained.input == kWorkspaceInput ? "engagement"
                                                    : "label";
  view.column = options.slice;
  view.all = evaluation.reliability();
  for (const SliceScores& slice : out.slices) {
    view.slices.push_back({view.outcome, slice.value, slice.reliability});
  }
  return view;
}

Error no_labels(const Trained& trained, const EvalOptions& options) {
  const std::string target = trained.rows ? trained.rows->plan().target : "";
  return {Code::kInvalid,
          target.empty()
              ? fmt::format("{}: no row has a label", options.file.file)
              : fmt::format("{}: no row has a value of {}, the target", options.file.file, target),
          "file", "attune predict needs no labels"};
}

// On the outcomes of a workspace's decisions.
Result<Evaluated> evaluate_workspace(const EvalOptions& options, const Trained& trained) {
  TrainScreen screen;
  Evaluated out;
  Evaluation evaluation({true, options.threshold, trained.known_rate, options.k});
  Corrected corrected;
  const auto take = [&](const Examples& rows, const std::vector<float>& predicted) {
    for (std::size_t i = 0; i < rows.size(); ++i) {
      const float first = predicted[i * trained.model->heads()];
      evaluation.add(first, rows.labels[i]);
      corrected.add("", first, rows.labels[i]);
    }
    return ok_status();
  };
  TRY(const std::uint64_t known,
      score_workspace(trained, options.workspace, options.is_all, screen, take));
  if (evaluation.rows() == 0) {
    return Error{Code::kInvalid,
                 known == 0 ? fmt::format("{}: no decision has an outcome yet", options.workspace)
                            : fmt::format("{}: the model has learned from all {} outcomes there",
                                          options.workspace, known),
                 "workspace",
                 known == 0 ? "rows come of decisions whose items were seen"
                            : "wait for newer ones, or add --all to measure on what it knows"};
  }
  out.rows.rows = evaluation.rows();
  out.learned_from = known;
  out.measures = evaluation.measures();
  out.calibration = calibration_of(options, trained, evaluation, out);
  out.calibration.as_it_goes = corrected.result();
  return out;
}

Result<Evaluated> evaluate(const EvalOptions& options) {
  TRY(const std::string path, find_model(options.model, options.workspace));
  TRY(const Trained trained, Trained::load(path));
  if (!options.workspace.empty() && options.file.file.empty()) {
    return evaluate_workspace(options, trained);
  }
  ScoringOptions scoring;
  scoring.file = options.file.file;
  TRY(scoring.table, options.file.table());
  TRY(scoring.example, options.file.example_for(trained));
  TrainScreen screen;
  scoring.on_progress = [&](double share, std::uint64_t rows) {
    FitProgress progress;
    progress.share = share;
    progress.rows = rows;
    screen.show("testing", progress);
  };
  for (const auto& [name, option] : {std::pair{options.slice, "slice"}, {options.group, "group"}}) {
    if (name.empty()) continue;
    scoring.columns.push_back(name);
    scoring.column_options.emplace_back(option);
  }
  Evaluated out;
  out.is_binary = trained.model->is_probability();
  const bool is_ranking = trained.model->is_ranking();
  if (is_ranking && (options.group.empty() || !options.slice.empty())) {
    return Error{
        Code::kInvalid,
        fmt::format("{} puts rows of a group in order: name their column with --group, and "
                    "no --slice",
                    options.model),
        "group", "its scores are no probabilities, and mean nothing across groups"};
  }
  Evaluation evaluation(
      {out.is_binary, options.threshold, trained.known_rate, options.k, is_ranking});
  Corrected corrected;
  const auto take = [&](const ScoredRow& row, std::span<const std::size_t> asked) -> Status {
    if (!row.prediction) return ok_status();
    const auto cell = [&](bool is_wanted, std::size_t place) {
      return is_wanted ? row.cells[asked[place]] : std::string_view{};
    };
    evaluation.add(*row.prediction, row.label,
                   cell(!options.group.empty(), options.slice.empty() ? 0 : 1));
    const std::string_view slice = cell(!options.slice.empty(), 0);
    if (!options.slice.empty()) evaluation.add_to_slice(slice, *row.prediction, row.label);
    corrected.add(slice, *row.prediction, row.label);
    return ok_status();
  };
  Result<ScoringReport> rows = score_file(trained, scoring, take);
  screen.erase();
  TRY(out.rows, std::move(rows));
  if (evaluation.rows() == 0) return no_labels(trained, options);
  out.unlabelled = evaluation.unlabelled();
  out.measures = evaluation.measures();
  out.slices = evaluation.slices();
  out.calibration = calibration_of(options, trained, evaluation, out);
  out.calibration.as_it_goes = corrected.result();
  return out;
}

const std::string& place_of(const EvalOptions& options) {
  return options.file.file.empty() ? options.workspace : options.file.file;
}

std::string evaluated_json(const EvalOptions& options, const Evaluated& out) {
  std::string text;
  JsonWriter json(text);
  json.begin_object().field("file", place_of(options)).field("model", options.model);
  json.field("rows", out.rows.rows).field("bad_rows", out.rows.bad_rows);
  json.field("unlabelled_rows", out.unlabelled);
  if (!options.workspace.empty()) json.field("rows_learned_from", out.learned_from);
  write_measures(json, out.measures);
  if (out.is_binary) {
    json.field("threshold", options.threshold);
    write_calibration_view(json, out.calibration);
  }
  if (!options.slice.empty()) {
    json.field("slice", options.slice).key("slices").begin_array();
    for (const SliceScores& slice : out.slices) {
      json.begin_object().field("value", slice.value).field("rows", slice.rows);
      write_measures(json, slice.measures);
      if (out.is_binary) {
        json.key("reliability").begin_object();
        write_reliability(json, slice.reliability);
        json.end_object();
      }
      json.end_object();
    }
    json.end_array();
  }
  json.end_object();
  return text;
}

void print(const EvalOptions& options, const Evaluated& out) {
  std::printf("%s: %s rows", place_of(options).c_str(), thousands(out.rows.rows).c_str());
  if (out.learned_from > 0) {
    std::printf(", %s more left out: the model has learned from them",
                thousands(out.learned_from).c_str());
  }
  if (out.unlabelled > 0) std::printf(", %s without a label", thousands(out.unlabelled).c_str());
  if (out.rows.bad_rows > 0) std::printf(", %s bad", thousands(out.rows.bad_rows).c_str());
  std::printf("\n");
  print_lines(measure_table(out.measures));
  if (!options.slice.empty()) {
    std::printf("\n");
    print_lines(slice_table(options.slice, out.slices, out.is_binary, kSlicesShown));
  }
  if (!out.is_binary) return;
  std::printf("\n");
  print_lines(calibration_table(out.calibration, kSlicesShown));
}

std::string file_name(const std::string& path) {
  return std::filesystem::path(path).filename().string();
}

Status draw(const EvalOptions& options, const Evaluated& out) {
  if (!out.is_binary) {
    return Error{Code::kInvalid, "--svg draws calibration: the model predicts a number", "svg", ""};
  }
  Output file(options.svg);
  TRY_OK(file.open());
  TRY_OK(file.write(calibration_svg(
      out.calibration, file_name(options.model) + " on " + file_name(place_of(options)))));
  return file.close();
}

Status eval(const EvalOptions& options) {
  const bool has_place = !options.file.file.empty() || !options.workspace.empty();
  if (!has_place || options.model.empty()) {
    return Error{Code::kInvalid,
                 fmt::format("eval: {} is required", has_place ? "--model" : "file"), "file",
                 "attune eval FILE --model MODEL, or attune eval --workspace shop --model ranker"};
  }
  if (!options.workspace.empty() && options.file.file.empty() && !options.slice.empty()) {
    return Error{Code::kInvalid, "--slice is for files: outcomes of a workspace have no columns",
                 "slice", ""};
  }
  TRY(const Evaluated out, evaluate(options));
  if (!options.svg.empty()) TRY_OK(draw(options, out));
  if (options.is_json) {
    std::printf("%s\n", evaluated_json(options, out).c_str());
  } else {
    print(options, out);
  }
  return ok_status();
}

}  // namespace

void add_eval(Command& app, Action& chosen) {
  const auto options = std::make_shared<EvalOptions>();
  Command* command =
      add_command(app, kLearnGroup, "eval", "How good a model is on the rows of a file",
                  "attune eval march.csv --model bank.attune\n"
                  "attune eval march.csv --model bank.attune --slice job --svg calibration.svg\n"
                  "attune eval impressions.csv --model ctr.attune --group person --k 5\n"
                  "attune eval --workspace shop --model ranker@2\n"
                  "attune eval recommend --data gowalla-ngcf --format gowalla-ngcf");
  command->require_subcommand(0, 1);
  command->add_option("file", options->file.file, "rows with their labels; - is standard input");
  add_format_options(*command, options->file);
  command->add_option("--model", options->model,
                      "file of the model, or NAME[@VERSION] of the workspace (required)");
  command->add_option("--workspace", options->workspace,
                      "without a file: the outcomes of its decisions that the model has not "
                      "learned from; and where a named model is");
  command->add_flag("--all", options->is_all, "of a workspace: those it has learned from, too");
  command->add_option("--slice", options->slice,
                      "column, or field of another file: every value of it is measured alone");
  command->add_option("--svg", options->svg,
                      "a picture of the calibration, of all rows and of slices");
  command->add_option(
      "--group", options->group,
      "column of persons or queries: gauc, NDCG, recall and precision of the first k rows of each");
  command->add_option("--k", options->k, "rows of a group that count as shown")
      ->check(range(1, 10000));
  command->add_option("--threshold", options->threshold, "a probability from here on says yes")
      ->check(range(0.0, 1.0));
  command->add_flag("--json", options->is_json, "one JSON object on stdout");
  command->callback([command, options, &chosen] {
    if (!command->has_parsed_subcommand()) chosen = [options] { return eval(*options); };
  });
  add_eval_recommend(*command, chosen);
}

}  // namespace attune
