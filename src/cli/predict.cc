// attune predict: a probability (or a value) a line, one for each row of a file.
#include <fmt/format.h>

#include <cstdio>

#include "base/command_line.h"
#include "base/json.h"
#include "cli/commands.h"
#include "cli/help.h"
#include "cli/journal_models.h"
#include "cli/model_input.h"
#include "cli/model_registry.h"
#include "cli/output.h"
#include "cli/words.h"
#include "learn/scoring.h"

namespace attune {
namespace {

constexpr std::size_t kBadRowsShown = 3;

struct PredictOptions {
  FileOptions file;
  std::string model, workspace, output = "-";
  bool is_json = false, all_targets = false;
};

void say_bad_rows(const ScoringReport& report) {
  if (report.bad_rows == 0) return;
  std::fprintf(stderr, "%s of %s rows could not be read: their lines are empty\n",
               thousands(report.bad_rows).c_str(), thousands(report.rows).c_str());
  for (std::size_t i = 0; i < report.first_bad.size() && i < kBadRowsShown; ++i) {
    std::fprintf(stderr, "  line %llu: %s\n",
                 static_cast<unsigned long long>(report.first_bad[i].line),
                 report.first_bad[i].reason.c_str());
  }
}

std::string csv_cell(const std::string& text) {
  if (text.find_first_of(",\"\r\n") == std::string::npos) return text;
  std::string cell = "\"";
  for (const char c : text) cell += c == '"' ? std::string(2, c) : std::string(1, c);
  return cell + "\"";
}

// A prediction a line; an empty line where there is none.
class Lines {
 public:
  explicit Lines(const std::string& path) : output_(path) {}
  Status open() { return output_.open(); }
  Status write(std::optional<float> prediction) {
    line_.clear();
    if (prediction) fmt::format_to(std::back_inserter(line_), "{}", *prediction);
    line_.push_back('\n');
    return output_.write({line_.data(), line_.size()});
  }
  // Columns of CSV; no columns are an empty line.
  Status write_all(std::span<const float> predictions) {
    line_.clear();
    fmt::format_to(std::back_inserter(line_), "{}\n", fmt::join(predictions, ","));
    return output_.write({line_.data(), line_.size()});
  }
  Status write_names(const Trained& trained) {
    std::string names;
    for (const TaskOptions& task : trained.model->options().tasks) {
      names += (names.empty() ? "" : ",") + csv_cell(task.name);
    }
    return output_.write((names.empty() ? "prediction" : names) + "\n");
  }
  Status close() { return output_.close(); }

 private:
  Output output_;
  fmt::memory_buffer line_;
};

Result<ScoringReport> predict_file(const PredictOptions& options, const Trained& trained,
                                   Lines& lines) {
  ScoringOptions scoring;
  scoring.file = options.file.file;
  TRY(scoring.table, options.file.table());
  TRY(scoring.example, options.file.example_for(trained));
  TRY_OK(check_input(trained, scoring.example));
  scoring.with_heads = options.all_targets;
  TRY_OK(lines.open());
  if (options.all_targets) TRY_OK(lines.write_names(trained));
  return score_file(trained, scoring, [&](const ScoredRow& row, std::span<const std::size_t>) {
    return options.all_targets ? lines.write_all(row.heads) : lines.write(row.prediction);
  });
}

// Of every shown item whose outcome is known, in the order in which it was.
Result<ScoringReport> predict_workspace(const PredictOptions& options, const Trained& trained,
                                        Lines& lines) {
  TRY_OK(lines.open());
  if (options.all_targets) TRY_OK(lines.write_names(trained));
  TrainScreen screen;
  ScoringReport report;
  const std::size_t heads = trained.model->heads();
  const auto write = [&](const Examples& rows, const std::vector<float>& predicted) -> Status {
    report.rows += rows.size();
    for (std::size_t at = 0; at < predicted.size(); at += heads) {
      const auto all = std::span(predicted).subspan(at, heads);
      TRY_OK(options.all_targets ? lines.write_all(all) : lines.write(all.front()));
    }
    return ok_status();
  };
  TRY([[maybe_unused]] const std::uint64_t known,
      score_workspace(trained, options.workspace, true, screen, write));
  return report;
}

Status predict(const PredictOptions& options) {
  const bool is_table = options.file.format.empty() || options.file.is_table();
  if (options.all_targets && !options.file.file.empty() && !is_table) {
    return Error{Code::kInvalid, "--all-targets is for tables and workspaces: they have several",
                 "all-targets", "attune predict new.csv --model shop.attune --all-targets"};
  }
  if (options.is_json && options.output == "-") {
    return Error{Code::kInvalid, "--json and the predictions would both go to standard output",
                 "output", "add --output FILE"};
  }
  if (options.file.file.empty() && options.workspace.empty()) {
    return Error{Code::kInvalid, "predict: name either a file or --workspace", "file",
                 "attune predict new.csv --model bank.attune"};
  }
  TRY(const std::string path, find_model(options.model, options.workspace));
  TRY(const Trained trained, Trained::load(path));
  Lines lines(options.output);
  TRY(const ScoringReport report, options.file.file.empty()
                                      ? predict_workspace(options, trained, lines)
                                      : predict_file(options, trained, lines));
  TRY_OK(lines.close());
  say_bad_rows(report);
  if (!options.is_json) return ok_status();
  std::string out;
  JsonWriter json(out);
  json.begin_object().field("rows", report.rows).field("bad_rows", report.bad_rows);
  json.field("output", options.output).end_object();
  std::printf("%s\n", out.c_str());
  return ok_status();
}

}  // namespace

void add_predict(Command& app, Action& chosen) {
  const auto options = std::make_shared<PredictOptions>();
  Command* command = add_command(app, kLearnGroup, "predict",
                                 "A probability a line for the rows of a file, by a model",
                                 "attune predict new.csv --model bank.attune --output p.txt\n"
                                 "attune predict new.csv --model shop.attune --all-targets\n"
                                 "cat new.csv | attune predict - --model bank.attune\n"
                                 "attune predict --workspace shop --model ranker");
  command->add_option("file", options->file.file, "rows to predict; - is standard input");
  add_format_options(*command, options->file);
  command
      ->add_option("--model", options->model,
                   "file of the model, or NAME[@VERSION] of the workspace")
      ->required();
  command->add_option("--workspace", options->workspace,
                      "without a file: every item it showed whose outcome is known; and where a "
                      "named model is");
  command->add_option("--output", options->output, "file; - is standard output");
  command->add_flag("--all-targets", options->all_targets,
                    "of a model of several targets: a column for each, with their names first");
  command->add_flag("--json", options->is_json, "a summary as one JSON object on stdout");
  command->callback([options, &chosen] { chosen = [options] { return predict(*options); }; });
}

}  // namespace attune
