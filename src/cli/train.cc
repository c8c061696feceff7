// attune train: from a file to a model, and what is known of it.
#include <fmt/format.h>
#include <sys/resource.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <charconv>
#include <chrono>
#include <cmath>
#include <cstdio>

#include "base/config.h"
#include "cli/commands.h"
#include "cli/help.h"
#include "cli/journal_models.h"
#include "cli/measure_table.h"
#include "cli/model_input.h"
#include "cli/model_output.h"
#include "cli/model_registry.h"
#include "cli/plan.h"
#include "cli/train_factors.h"
#include "cli/train_screen.h"
#include "cli/words.h"
#include "learn/stream_training.h"
#include "learn/table_training.h"
#include "model/item_factors.h"

namespace attune {
namespace {

struct TrainOptions {
  FileOptions file;
  std::string target, positive, plan, preset, test_file, time_column, weight, group, cache;
  std::vector<std::string> drop, allow, kinds, settings;
  double share = 0.2, threshold = 0.5;
  std::size_t folds = 0, passes = 0, weights = 0;
  int bits = 0;
  bool is_collision_free = false;
  std::uint32_t admit_after = 0;
  std::uint64_t expire_rows = 0;
  std::string table_memory;
  std::uint64_t seed = 1;
  std::string output = "model.attune";
  std::string calibration = "none";
  bool keeps_names = false, is_json = false;
  // Of a workspace.
  std::string workspace, server, name, memory;
  std::vector<std::string> against;
  double cpu_share = 1;
  bool is_promoted = false;
};

constexpr const char* kClassic = "mlp";  // the preset
constexpr std::size_t kClassicPasses = 10;
constexpr std::size_t kBadRowsShown = 3;
constexpr int kWorkspaceBits = 18;  // tables of 2^18 weights, as the live learner's

double clock_s() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

void take_usage(TrainReport& report) {
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  const auto s = [](const timeval& t) { return double(t.tv_sec) + 1e-6 * double(t.tv_usec); };
  report.cpu_seconds = s(usage.ru_utime) + s(usage.ru_stime);
  report.peak_rss_bytes = static_cast<std::uint64_t>(usage.ru_maxrss) * 1024;
}

// "alpha=0.1"
Result<std::pair<std::string, double>> setting(const std::string& text) {
  const auto sign = text.find('=');
  double value = 0;
  if (sign != std::string::npos) {
    const char* end = text.data() + text.size();
    const auto [stop, fault] = std::from_chars(text.data() + sign + 1, end, value);
    if (fault == std::errc() && stop == end && std::isfinite(value)) {
      return std::pair(text.substr(0, sign), value);
    }
  }
  return Error{Code::kInvalid, fmt::format("--set {}: must be NAME=NUMBER", text), "set",
               "for example --set alpha=0.1"};
}

Result<ModelOptions> model_options(const TrainOptions& options) {
  ModelOptions model;
  model.seed = options.seed;
  if (options.bits != 0) model.bits = options.bits;
  model.collision_free = options.is_collision_free;
  model.admit_after = std::max<std::uint32_t>(options.admit_after, 1);
  model.expire_rows = options.expire_rows;
  if (!options.table_memory.empty()) {
    TRY(model.memory_bytes, parse_size(options.table_memory));
  }
  for (const std::string& text : options.settings) {
    TRY(auto one, setting(text));
    model.settings.push_back(std::move(one));
  }
  return model;
}

// A workspace is no file, and has its own plan.
Status check_place(const TrainOptions& options) {
  const bool is_workspace = !options.workspace.empty();
  if (is_workspace == !options.file.file.empty()) {
    return Error{Code::kInvalid, "train: name either a file or --workspace", "file",
                 "attune train bank.csv --target y, or attune train --workspace shop"};
  }
  const bool is_for_files =
      !options.target.empty() || !options.positive.empty() || !options.plan.empty() ||
      !options.preset.empty() || !options.drop.empty() || !options.allow.empty() ||
      !options.time_column.empty() || !options.weight.empty() || !options.group.empty() ||
      !options.cache.empty() || !options.test_file.empty() || options.folds > 0;
  if (is_workspace && (is_for_files || options.kinds.size() > 1)) {
    return Error{Code::kInvalid,
                 "--workspace: its decisions have their features and outcomes, and the latest are "
                 "tested on: options about columns, --test, --folds, --cache and several kinds are "
                 "for files",
                 "workspace", "attune train --workspace shop --kind fm"};
  }
  const bool is_for_workspaces = !options.against.empty() || !options.name.empty() ||
                                 !options.memory.empty() || options.is_promoted ||
                                 options.cpu_share < 1;
  if (is_workspace && options.calibration != "none") {
    return Error{Code::kInvalid,
                 "--calibrate is for files: a model of a workspace ranks by the sum of its parts",
                 "calibrate", "attune eval --workspace shop --model ranker shows its calibration"};
  }
  if (!is_workspace && is_for_workspaces) {
    return Error{Code::kInvalid,
                 "--against, --register, --promote, --memory and --cpu-share need --workspace",
                 "workspace", "attune registry register FILE --name NAME registers a file's model"};
  }
  if (options.is_promoted && options.name.empty()) {
    return Error{Code::kInvalid, "--promote needs --register NAME", "promote", ""};
  }
  if (!options.name.empty() && !is_model_name(options.name)) {
    return Error{Code::kInvalid,
                 fmt::format("--register {}: must be 1-64 of a-z, 0-9, - and _, a letter first",
                             options.name),
                 "register", "for example --register ranker"};
  }
  return ok_status();
}

Status check(const TrainOptions& options) {
  TRY_OK(check_place(options));
  if (!options.preset.empty() && options.preset != kClassic) {
    return Error{Code::kInvalid, fmt::format("--preset {}: there is only mlp", options.preset),
                 "preset", ""};
  }
  if (!options.preset.empty() && (!options.kinds.empty() || !options.plan.empty())) {
    return Error{Code::kInvalid, "--preset mlp names kind and columns itself", "preset",
                 "leave out --kind and --plan"};
  }
  if (!options.cache.empty() && (options.file.format.empty() || options.file.is_table())) {
    return Error{Code::kInvalid, "--cache keeps the rows of criteo, vw, libsvm and libffm", "cache",
                 "leave it out: a table is parsed once, whatever the passes"};
  }
  const bool has_table_options =
      options.admit_after > 0 || options.expire_rows > 0 || !options.table_memory.empty();
  if (has_table_options && !options.is_collision_free) {
    return Error{Code::kInvalid,
                 "--admit-after, --expire-rows and --table-memory need --collision-free",
                 "collision-free", "a hashed table takes every id and forgets none"};
  }
  if (!options.test_file.empty() && options.folds > 0) {
    return Error{Code::kInvalid, "--test and --folds are two ways of testing", "folds",
                 "use one of them"};
  }
  return ok_status();
}

Result<TrainedModel> from_table(const TrainOptions& options, TrainScreen& screen) {
  TableTrainingOptions training;
  training.file = options.file.file;
  TRY(training.table, options.file.table());
  training.target = options.target;
  training.positive = options.positive;
  training.drop = options.drop;
  training.allow = options.allow;
  if (!options.plan.empty()) {
    TRY(training.plan, read_plan(options.plan));
  }
  training.is_classic = options.preset == kClassic;
  training.test_file = options.test_file;
  training.folds = options.folds;
  training.share = options.share;
  training.time_column = options.time_column;
  training.kinds = training.is_classic ? std::vector<std::string>{"mlp"} : options.kinds;
  TRY(training.model, model_options(options));
  training.passes = options.passes == 0 && training.is_classic ? kClassicPasses : options.passes;
  training.threshold = options.threshold;
  training.calibration = calibration_kind(options.calibration).value();
  training.weight = options.weight;
  training.group = options.group;
  training.clock_s = clock_s;
  training.on_stage = [&](std::string_view stage, const FitProgress& progress) {
    screen.show(stage, progress);
  };
  return train_table(training);
}

// "auto": beside the data. Standard input has no rows to keep.
std::string cache_path(const TrainOptions& options) {
  if (options.cache != "auto") return options.cache;
  return options.file.file == "-" ? "" : options.file.file + ".rows";
}

Result<TrainedModel> from_stream(const TrainOptions& options, ExampleFormat format,
                                 TrainScreen& screen) {
  const bool is_for_tables = !options.target.empty() || !options.positive.empty() ||
                             !options.plan.empty() || !options.preset.empty() ||
                             !options.drop.empty() || !options.time_column.empty() ||
                             !options.weight.empty();
  if (is_for_tables || options.folds > 0 || options.kinds.size() > 1) {
    return Error{Code::kInvalid,
                 fmt::format("--format {} has its label and features in it, and is read as a "
                             "stream: --target, --positive, --plan, --preset, --drop, "
                             "--time-column, --weight, --folds and several kinds are for tables",
                             options.file.format),
                 "format", "name a test file with --test"};
  }
  StreamTrainingOptions training;
  training.file = options.file.file;
  training.format_name = options.file.format;
  training.format = format;
  training.test_file = options.test_file;
  TRY(training.model, model_options(options));
  if (!options.kinds.empty()) training.model.kind = options.kinds.front();
  training.passes = std::max<std::size_t>(options.passes, 1);
  training.threshold = options.threshold;
  training.calibration = calibration_kind(options.calibration).value();
  training.cache = cache_path(options);
  training.keeps_names = options.keeps_names || options.weights > 0;
  training.clock_s = clock_s;
  training.on_stage = [&](std::string_view stage, const FitProgress& progress) {
    screen.show(stage, progress);
  };
  return train_stream(training);
}

Result<TrainedModel> from_workspace(const TrainOptions& options, TrainScreen& screen) {
  JournalOptions training;
  training.workspace = options.workspace;
  training.against = options.against;
  TRY(training.model, model_options(options));
  training.model.kind = options.kinds.empty() ? "fm" : options.kinds.front();
  if (options.bits == 0) training.model.bits = kWorkspaceBits;
  training.passes = std::max<std::size_t>(options.passes, 1);
  training.share = options.share;
  training.threshold = options.threshold;
  training.keeps_names = options.keeps_names || options.weights > 0;
  if (!options.memory.empty()) {
    TRY(training.memory_bytes, parse_size(options.memory));
  }
  training.cpu_share = options.cpu_share;
  training.clock_s = clock_s;
  return train_on_workspace(training, screen);
}

Result<TrainedModel> trained_from(const TrainOptions& options, TrainScreen& screen) {
  if (!options.workspace.empty()) return from_workspace(options, screen);
  TRY(const auto format, options.file.example());
  return format ? from_stream(options, *format, screen) : from_table(options, screen);
}

// Registers the model just saved, and promotes it unless there is a reason not to.
Status keep(const TrainOptions& options, const std::string& id, const std::string& about,
            const std::optional<std::string>& reason) {
  TRY(const auto changes, ModelChanges::open({options.workspace, options.server}));
  TRY(const RegisteredModel model, changes->add(options.name, options.output, about));
  const auto at = std::find_if(model.versions.begin(), model.versions.end(),
                               [&](const ModelVersion& v) { return v.id == id; });
  const std::uint32_t number = at == model.versions.end() ? 0 : at->number;
  std::fprintf(stderr, "attune: registered as %s@%u\n", options.name.c_str(), number);
  if (options.is_promoted && !reason) {
    TRY_OK(changes->promote({options.name, number}, "trained, and not worse"));
    std::fprintf(stderr, "attune: promoted\n");
  } else if (options.is_promoted) {
    std::fprintf(stderr, "attune: not promoted: %s\n", reason->c_str());
  }
  return changes->close();
}

std::string head_line(const TrainReport& report) {
  std::string line = fmt::format("{}: {} rows", report.file, thousands(report.rows));
  if (!report.target.empty()) line += fmt::format(", target {}", report.target);
  if (!report.positive.empty()) {
    line += fmt::format(", \"{}\" means yes{}", report.positive,
                        report.is_positive_guessed ? " (a guess: --positive says it)" : "");
  }
  if (report.unlabelled > 0) line += fmt::format(", {} without a label", report.unlabelled);
  return line;
}

void print_lines(const std::vector<std::string>& lines) {
  for (const std::string& line : lines) std::printf("%s\n", line.c_str());
}

void print_report(const TrainReport& report) {
  const KindReport& best = report.kinds.front();
  print_lines({head_line(report)});
  print_lines(plan_table(report.plan));
  print_lines({"", fmt::format("{}, {} {} over {} rows, tested on {}:", best.kind, best.passes,
                               best.passes == 1 ? "pass" : "passes", thousands(report.train_rows),
                               report.measured_on)});
  print_lines(measure_table(best.measures));
  if (report.is_binary && find_measure(best.measures, "accuracy") != nullptr) {
    print_lines({fmt::format("yes = a probability of {} or more", report.threshold)});
  }
  if (const std::string line = calibration_line(best.calibration); !line.empty()) {
    print_lines({line});
  }
  if (const std::string table = table_line(report); !table.empty()) print_lines({table});
  if (report.kinds.size() > 1) {
    print_lines({""});
    print_lines(kind_table(report));
  }
  if (!report.rivals.empty()) {
    print_lines({""});
    print_lines(rival_table(report));
  }
}

void print_doubts(const TrainReport& report) {
  for (std::size_t i = 0; i < report.first_bad.size() && i < kBadRowsShown; ++i) {
    const BadRow& bad = report.first_bad[i];
    std::fprintf(stderr, "left out: line %llu%s%s: %s\n", static_cast<unsigned long long>(bad.line),
                 bad.column.empty() ? "" : ", column ", bad.column.c_str(), bad.reason.c_str());
  }
  if (report.bad_rows > kBadRowsShown) {
    std::fprintf(stderr, "left out: %s bad rows in all\n", thousands(report.bad_rows).c_str());
  }
  for (const std::string& warning : report.warnings) {
    std::fprintf(stderr, "warning: %s\n", warning.c_str());
  }
}

// What the model file holds of it: nothing that differs from run to run.
std::string lasting_report(TrainReport report) {
  report.output.clear();
  report.learner_seconds = 0;
  report.cache.clear();
  return report_json(report);
}

// Nothing is tested on here: attune eval recommend says how good such lists are.
Status train_items(const TrainOptions& options) {
  const bool is_for_rows = !options.against.empty() || options.is_collision_free ||
                           options.bits != 0 || options.passes != 0 || options.weights > 0 ||
                           options.keeps_names;
  if (is_for_rows) {
    return Error{Code::kInvalid,
                 "--kind factors learns from who took what, not from rows: --against, --bits, "
                 "--passes, --collision-free, --weights and --names are for others",
                 "kind", "attune train --workspace shop --kind factors --register retriever"};
  }
  FactorsOptions training{.workspace = options.workspace,
                          .output = options.output,
                          .settings = {},
                          .seed = options.seed};
  TRY(const ModelOptions model, model_options(options));
  training.settings = model.settings;
  if (!options.memory.empty()) {
    TRY(training.memory_bytes, parse_size(options.memory));
  }
  training.cpu_share = options.cpu_share;
  const double begin = clock_s();
  TRY(const std::string replaced, replaced_model(options.output));
  TRY(FactorsReport report, train_factors(training));
  report.seconds = clock_s() - begin;
  if (!options.name.empty()) {
    TRY_OK(
        keep(options, report.model_id, short_report(factors_json(report), "train"), std::nullopt));
  }
  if (options.is_json) {
    print_lines({factors_json(report)});
    return ok_status();
  }
  print_lines(
      {fmt::format("{}: {} items as vectors, of {} persons who took {} times", report.workspace,
                   thousands(report.items), thousands(report.persons), thousands(report.pairs)),
       report.lists == 0
           ? "a decision looks at every item"
           : fmt::format("a decision looks at {} of {} lists of near items, which have {:.1f} % of "
                         "the best {}",
                         report.lists_looked_at, thousands(report.lists), 100 * report.recall,
                         NearLists::kWanted),
       "",
       fmt::format("{}: {}, kind {}, in {:.1f} s", report.output, report.model_id, kFactorsKind,
                   report.seconds)});
  if (!replaced.empty()) print_lines({fmt::format("it replaces {}", replaced)});
  return ok_status();
}

Status train(const TrainOptions& options) {
  TRY_OK(check(options));
  if (!options.workspace.empty() && options.kinds == std::vector<std::string>{kFactorsKind}) {
    return train_items(options);
  }
  const double begin = clock_s();
  TRY(const std::string replaced, replaced_model(options.output));
  TrainScreen screen;
  Result<TrainedModel> done = trained_from(options, screen);
  screen.erase();
  TRY(TrainedModel made, std::move(done));
  TrainReport& report = made.report;
  report.output = options.output;
  made.trained.report = lasting_report(report);
  TRY(report.model_id, made.trained.save(options.output));
  report.seconds = clock_s() - begin;
  take_usage(report);
  if (!options.name.empty()) {
    TRY_OK(keep(options, report.model_id, short_report(report_json(report), "train"),
                reason_not_to_promote(report)));
  }
  if (!report.cache.empty()) {
    std::fprintf(stderr, "rows %s %s\n", report.is_cache_reused ? "read from" : "kept in",
                 report.cache.c_str());
  }
  if (options.is_json) {
    print_doubts(report);
    std::printf("%s\n", report_json(report).c_str());
    return ok_status();
  }
  print_report(report);
  if (options.weights > 0) {
    TRY(const std::vector<RowPart> weights, largest_weights(made.trained, options.weights));
    print_lines({"", "largest weights:"});
    print_lines(part_table(weights, options.weights));
  }
  print_lines({"", fmt::format("{}: {}, kind {}, in {:.1f} s", options.output, report.model_id,
                               report.kinds.front().kind, report.seconds)});
  if (!replaced.empty()) print_lines({fmt::format("it replaces {}", replaced)});
  std::fflush(stdout);
  print_doubts(report);
  return ok_status();
}

}  // namespace

void add_train(CLI::App& app, Action& chosen) {
  const auto options = std::make_shared<TrainOptions>();
  CLI::App* command = add_command(
      app, kLearnGroup, "train", "Learns a model from a file, and says how good it is",
      "attune train bank.csv --target y --drop duration --output bank.attune\n"
      "attune train bank.csv --target y --kind ftrl,fm,mlp --folds 5\n"
      "attune train train.csv --preset mlp --test test.csv\n"
      "attune train day1.tsv --format criteo --kind fm --test day2.tsv --output ctr.attune --json\n"
      "attune train --workspace shop --kind fm --against ranker --register ranker --promote\n"
      "attune train --workspace shop --kind factors --register retriever --promote");
  command->add_option("file", options->file.file, "what to learn from; - is standard input");
  add_format_options(*command, options->file);
  command->add_option("--workspace", options->workspace,
                      "learn from what its decisions came to, instead of a file");
  command->add_option("--target", options->target, "column to predict");
  command->add_option("--positive", options->positive, "its text that means yes (guessed)");
  command->add_option("--drop", options->drop, "columns to leave out")->delimiter(',');
  command->add_option("--allow", options->allow, "sensitive columns to let in")->delimiter(',');
  command->add_option("--plan", options->plan, "file of features instead of those derived");
  command->add_option("--preset", options->preset,
                      "mlp: ten columns, the label last, 128 hidden units, Adam, 10 passes");
  command
      ->add_option("--kind", options->kinds,
                   "kinds of model: ftrl, fm, mlp, linear, ...; of several the best is kept; of a "
                   "workspace also factors, which draws candidates")
      ->delimiter(',');
  command->add_option("--set", options->settings, "a setting of the kind, NAME=NUMBER");
  command->add_option("--bits", options->bits, "tables of 2^bits weights")
      ->check(CLI::Range(8, 28));
  command->add_flag("--collision-free", options->is_collision_free,
                    "a weight of its own for every id, instead of shared by chance; slower");
  command->add_option("--admit-after", options->admit_after,
                      "with --collision-free: an id gets its weight when seen for the n-th time");
  command->add_option("--expire-rows", options->expire_rows,
                      "with --collision-free: ids not seen for so many rows are dropped");
  command
      ->add_option("--table-memory", options->table_memory,
                   "with --collision-free: of the table, instead of --bits; the longest unseen id "
                   "gives way")
      ->type_name("SIZE");
  command->add_option("--passes", options->passes, "over the rows (tables: as many as help)")
      ->check(CLI::Range(1, 1000));
  command->add_option("--test", options->test_file, "file to test on");
  command->add_option("--split", options->share, "share of the rows to test on")
      ->check(CLI::Range(0.01, 0.9));
  command->add_option("--folds", options->folds, "test on each of so many folds")
      ->check(CLI::Range(2, 1000));
  command->add_option("--time-column", options->time_column,
                      "test on the latest rows by this column (one of times); none: by chance");
  command->add_option("--weight", options->weight, "column of how much a row counts in learning");
  command->add_option("--threshold", options->threshold, "a probability from here on says yes")
      ->check(CLI::Range(0.0, 1.0));
  command
      ->add_option("--calibrate", options->calibration,
                   "isotonic or platt: predictions as often right as they say, by rows held back")
      ->check(CLI::IsMember({"none", "isotonic", "platt"}));
  command->add_option("--group", options->group,
                      "column of persons or queries: gauc, NDCG, recall and precision of the first "
                      "10 rows of each");
  command->add_option("--seed", options->seed, "same seed, same model");
  command->add_option("--weights", options->weights, "print so many of the largest weights");
  command->add_option("--cache", options->cache,
                      "of criteo, vw, libsvm, libffm: file of parsed rows, for further passes and "
                      "runs; auto = beside the data");
  command->add_flag("--names", options->keeps_names,
                    "keep the names of features of criteo, vw, libsvm, libffm; slow");
  command
      ->add_option("--against", options->against,
                   "of a workspace: models to compare with, files or NAME[@VERSION]")
      ->delimiter(',');
  command->add_option("--register", options->name,
                      "of a workspace: becomes the next version of this model in its registry");
  command->add_flag("--promote", options->is_promoted,
                    "with --register: it ranks from now on, unless it is worse than what does");
  command->add_option(
      "--server", options->server,
      "with --register: http(s)://HOST:PORT that serves the workspace, with its key "
      "in ATTUNE_ADMIN_KEY");
  command->add_option("--memory", options->memory, "of a workspace: keep below so much, as 256M")
      ->type_name("SIZE");
  command
      ->add_option("--cpu-share", options->cpu_share,
                   "of a workspace: at most so much of one core, at the lowest priority")
      ->check(CLI::Range(0.01, 1.0));
  command->add_option("--output", options->output, "file of the model");
  command->add_flag("--json", options->is_json, "the report as one JSON object on stdout");
  command->callback([options, &chosen] { chosen = [options] { return train(*options); }; });
}

}  // namespace attune
