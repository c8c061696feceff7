// attune predict: a probability (or a value) a line, one for each row of a file.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <cstdio>

#include "base/json.h"
#include "cli/commands.h"
#include "cli/help.h"
#include "cli/model_input.h"
#include "cli/output.h"
#include "cli/words.h"
#include "learn/scoring.h"

namespace attune {
namespace {

constexpr std::size_t kBadRowsShown = 3;

struct PredictOptions {
  FileOptions file;
  std::string model, output = "-";
  bool is_json = false;
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

Status predict(const PredictOptions& options) {
  if (options.is_json && options.output == "-") {
    return Error{Code::kInvalid, "--json and the predictions would both go to standard output",
                 "output", "add --output FILE"};
  }
  TRY(const Trained trained, Trained::load(options.model));
  ScoringOptions scoring;
  scoring.file = options.file.file;
  TRY(scoring.table, options.file.table());
  TRY(scoring.example, options.file.example());
  TRY_OK(check_input(trained, scoring.example));
  Output output(options.output);
  TRY_OK(output.open());
  fmt::memory_buffer line;
  const auto write = [&](const ScoredRow& row, std::span<const std::size_t>) -> Status {
    line.clear();
    if (row.prediction) fmt::format_to(std::back_inserter(line), "{}", *row.prediction);
    line.push_back('\n');
    return output.write({line.data(), line.size()});
  };
  TRY(const ScoringReport report, score_file(trained, scoring, write));
  TRY_OK(output.close());
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

void add_predict(CLI::App& app, Action& chosen) {
  const auto options = std::make_shared<PredictOptions>();
  CLI::App* command = add_command(app, kLearnGroup, "predict",
                                  "A probability a line for the rows of a file, by a model",
                                  "attune predict new.csv --model bank.attune --output p.txt\n"
                                  "cat new.csv | attune predict - --model bank.attune");
  add_file_options(*command, options->file, "rows to predict");
  command->add_option("--model", options->model, "file of the model")->required();
  command->add_option("--output", options->output, "file; - is standard output");
  command->add_flag("--json", options->is_json, "a summary as one JSON object on stdout");
  command->callback([options, &chosen] { chosen = [options] { return predict(*options); }; });
}

}  // namespace attune
