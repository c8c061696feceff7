// attune train: from a file to a model, and what is known of it.
#include <fmt/format.h>
#include <sys/resource.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <thread>

#include "base/command_line.h"
#include "base/config.h"
#include "cli/commands.h"
#include "cli/help.h"
#include "cli/journal_models.h"
#include "cli/measure_table.h"
#include "cli/model_input.h"
#include "cli/model_output.h"
#include "cli/model_registry.h"
#include "cli/output.h"
#include "cli/plan.h"
#include "cli/train_factors.h"
#include "cli/train_options.h"
#include "cli/train_print.h"
#include "cli/train_record.h"
#include "cli/train_screen.h"
#include "cli/words.h"
#include "learn/stream_training.h"
#include "learn/table_training.h"
#include "learn/verb_targets.h"
#include "model/item_factors.h"

namespace attune {
namespace {

constexpr std::size_t kClassicPasses = 10;
constexpr const char* kVerbKind = "fwfm";  // of verbs of a workspace, when none is named
constexpr int kWorkspaceBits = 18;         // tables of 2^18 weights, as the live learner's

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

Status look_for_models(const TrainOptions& options, TableTrainingOptions& training) {
  if (!is_search(options)) return ok_status();
  if (is_settled(options)) {
    return Error{
        Code::kInvalid,
        "--search, --budget-seconds, --resume and --memory look for settings and passes: --set, "
        "--passes, --preset and --collision-free say them",
        "search", "leave out one of the two"};
  }
  TRY(training.search, search_of(options.search, options.memory));
  const std::size_t cores = std::max(std::thread::hardware_concurrency(), 1U);
  training.search->threads = options.threads > 0 ? options.threads : std::min(cores, kMostThreads);
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
  TRY(training.also, also_of(options.joint));
  training.compare_alone = options.joint.compare_alone;
  training.is_classic = options.preset == kClassic;
  training.test_file = options.test_file;
  training.folds = options.folds;
  training.share = options.share;
  training.time_column = options.time_column;
  training.kinds = training.is_classic ? std::vector<std::string>{"mlp"} : options.kinds;
  TRY(training.model, model_options(options));
  if (!is_search(options)) {
    training.threads = {std::max<std::size_t>(options.threads, 1), options.is_hogwild};
  }
  TRY_OK(look_for_models(options, training));
  training.passes = options.passes == 0 && training.is_classic ? kClassicPasses : options.passes;
  training.threshold = options.threshold;
  training.calibration = calibration_kind(options.calibration).value();
  training.weight = options.weight;
  training.group = options.group;
  training.is_ranking = is_ranking(options);
  if (training.is_ranking) training.kinds = {"trees"};
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
  const bool is_for_tables =
      !options.target.empty() || !options.positive.empty() || !options.plan.empty() ||
      !options.preset.empty() || !options.drop.empty() || !options.time_column.empty() ||
      !options.weight.empty() || !options.group.empty() || !options.objective.empty();
  if (is_for_tables || options.folds > 0 || options.kinds.size() > 1 || options.search.is_given() ||
      !options.memory.empty()) {
    return Error{Code::kInvalid,
                 fmt::format("--format {} has its label and features in it, and is read as a "
                             "stream: --target, --positive, --plan, --preset, --drop, "
                             "--time-column, --weight, --group, --folds, --search, --memory and "
                             "several kinds are for "
                             "tables",
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
  training.threads = options.threads;
  training.is_hogwild = options.is_hogwild;
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
  if (!options.target.empty()) {
    TRY(const FurtherTargetOptions also, also_of(options.joint));
    TRY(training.model.tasks, verb_tasks(options.target, also));
    training.compare_alone = options.joint.compare_alone;
  }
  training.model.kind = !options.kinds.empty()   ? options.kinds.front()
                        : options.target.empty() ? "fm"
                                                 : kVerbKind;
  if (options.search.is_given() || options.kinds.size() > 1) {
    TRY(const TableTrainingOptions::Search search, search_of(options.search, ""));
    training.search = {options.kinds, search.settings, search.budget_s};
  }
  if (options.bits == 0) training.model.bits = kWorkspaceBits;
  training.passes = std::max<std::size_t>(options.passes, 1);
  training.share = options.share;
  training.threshold = options.threshold;
  training.calibration = calibration_kind(options.calibration).value();
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

// What the model file holds of it: nothing that differs from run to run.
std::string lasting_report(TrainReport report) {
  report.output.clear();
  report.pass_seconds = report.learner_seconds = 0;
  report.threads = {};
  report.cache.clear();
  return report_json(report);
}

// Nothing is tested on here: attune eval recommend says how good such lists are.
Status train_items(const TrainOptions& options) {
  const bool is_for_rows = !options.against.empty() || options.is_collision_free ||
                           options.bits != 0 || options.passes != 0 || options.weights > 0 ||
                           options.keeps_names || !options.target.empty() ||
                           options.joint.is_given() || options.calibration != "none" ||
                           options.search.is_given();
  if (is_for_rows) {
    return Error{Code::kInvalid,
                 "--kind factors learns from who took what, not from rows: --against, --bits, "
                 "--passes, --collision-free, --weights, --names, --calibrate, --search, --target "
                 "and --also are for others",
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
  TRY_OK(check_train(options));
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
  TRY(report.run, record_run(options.record, made, screen.curve()));
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
  if (!report.run.empty()) print_lines({fmt::format("run {}", report.run)});
  if (!replaced.empty()) print_lines({fmt::format("it replaces {}", replaced)});
  std::fflush(stdout);
  print_doubts(report);
  return ok_status();
}

}  // namespace

void add_train(Command& app, Action& chosen) {
  const auto options = std::make_shared<TrainOptions>();
  Command* command = add_command(
      app, kLearnGroup, "train", "Learns a model from a file, and says how good it is",
      "attune train bank.csv --target y --drop duration --output bank.attune\n"
      "attune train bank.csv --target y --kind ftrl,fm,mlp --folds 5\n"
      "attune train shop.csv --target click --also like,purchase --weight-of purchase=3\n"
      "attune train train.csv --preset mlp --test test.csv\n"
      "attune train searches.csv --target clicked --kind trees --group search\n"
      "attune train day1.tsv --format criteo --kind fm --test day2.tsv --output ctr.attune --json\n"
      "attune train --workspace shop --kind fm --against ranker --register ranker --promote\n"
      "attune train --workspace shop --search 6 --register ranker\n"
      "attune train --workspace shop --target click --also purchase,hide --weight-of purchase=3\n"
      "attune train --workspace shop --target purchase --calibrate platt --output buyers.attune\n"
      "attune train --workspace shop --kind factors --register retriever --promote");
  command->add_option("file", options->file.file, "what to learn from; - is standard input");
  add_format_options(*command, options->file);
  command->add_option("--workspace", options->workspace,
                      "learn from what its decisions came to, instead of a file");
  command->add_option("--target", options->target,
                      "column to predict; of a workspace a verb (click, purchase, hide, ...), "
                      "instead of whether an item is engaged with at all");
  command->add_option("--positive", options->positive, "its text that means yes (guessed)");
  add_joint_flags(*command, options->joint);
  command->add_option("--drop", options->drop, "columns to leave out")->delimiter(',');
  command->add_option("--allow", options->allow, "sensitive columns to let in")->delimiter(',');
  command->add_option("--plan", options->plan, "file of features instead of those derived");
  command->add_option("--preset", options->preset,
                      "mlp: ten columns, the label last, 128 hidden units, Adam, 10 passes");
  command
      ->add_option(
          "--kind", options->kinds,
          "kinds of model: ftrl, fm, fwfm, mlp, trees, linear, ...; of several the best is "
          "kept; none: of a table they are looked for; of a workspace also factors, which "
          "draws candidates")
      ->delimiter(',');
  add_search_flags(*command, options->search);
  command->add_option("--set", options->settings, "a setting of the kind, NAME=NUMBER");
  command->add_option("--bits", options->bits, "tables of 2^bits weights")->check(range(8, 28));
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
      ->check(range(1, 1000));
  command
      ->add_option("--threads", options->threads,
                   "that learn, of trees and kinds over fields; same seed and threads, same model; "
                   "1 = no other thread reads ahead either; where kinds and settings are looked "
                   "for: settings tried at once (as many as cores)")
      ->check(range(std::size_t{1}, kMostThreads));
  command->add_flag("--hogwild", options->is_hogwild,
                    "with --threads: all write into one table and none waits; faster, and not the "
                    "same model each time");
  command->add_option("--test", options->test_file, "file to test on");
  command->add_option("--split", options->share, "share of the rows to test on")
      ->check(range(0.01, 0.9));
  command->add_option("--folds", options->folds, "test on each of so many folds")
      ->check(range(2, 1000));
  command->add_option("--time-column", options->time_column,
                      "test on the latest rows by this column (one of times); none: by chance");
  command->add_option("--weight", options->weight, "column of how much a row counts in learning");
  command->add_option("--threshold", options->threshold, "a probability from here on says yes")
      ->check(range(0.0, 1.0));
  command
      ->add_option(
          "--calibrate", options->calibration,
          "isotonic or platt: predictions as often right as they say, by rows held back (of a "
          "workspace: the latest before those tested on)")
      ->check(one_of({"none", "isotonic", "platt"}));
  command->add_option(
      "--group", options->group,
      "column of what rows compete in (a search, a person, a test): measured inside "
      "each, which stays on one side of the split; with --kind trees alone their "
      "order is learned");
  command
      ->add_option("--objective", options->objective,
                   "ranking: the order of rows inside a --group (trees); prediction: each row by "
                   "itself")
      ->check(one_of({"ranking", "prediction"}));
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
  command
      ->add_option("--memory", options->memory,
                   "keep below so much, as 256M; of a table, each model that is tried")
      ->type_name("SIZE");
  command
      ->add_option("--cpu-share", options->cpu_share,
                   "of a workspace: at most so much of one core, at the lowest priority")
      ->check(range(0.01, 1.0));
  command->add_option("--output", options->output, "file of the model");
  command->add_flag("--json", options->is_json, "the report as one JSON object on stdout");
  command
      ->add_option("--runs", options->record.runs,
                   "folder where the run is noted (with --workspace: its own), for attune runs")
      ->type_name("DIR");
  command
      ->add_option("--tensorboard", options->record.tensorboard,
                   "folder for TensorBoard: loss, validation, measures and settings of the run")
      ->type_name("DIR");
  command->callback([command, options, &chosen] {
    RecordOptions& record = options->record;
    record.given = given_options(*command);
    if (record.runs.empty() && !options->workspace.empty()) {
      record.runs = options->workspace + "/runs";
    }
    chosen = [options] { return train(*options); };
  });
}

}  // namespace attune
