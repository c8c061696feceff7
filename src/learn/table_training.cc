#include "learn/table_training.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <memory>

#include "feature/cell.h"
#include "learn/column_order.h"
#include "learn/evaluation.h"
#include "learn/further_targets.h"
#include "learn/joint_scores.h"
#include "learn/labelled_table.h"
#include "learn/model_search.h"
#include "learn/row_groups.h"
#include "learn/table_leaks.h"
#include "learn/table_learner.h"
#include "learn/table_plan.h"
#include "learn/table_search.h"
#include "learn/table_split.h"

namespace attune {
namespace {

Result<LoadedTable> load(const std::string& path, const TableTrainingOptions& options) {
  TRY(const auto reader, TableReader::open(path, options.table));
  return LoadedTable::read(*reader, path, [&](double share) {
    FitProgress progress;
    progress.share = share;
    if (options.on_stage) options.on_stage("reading", progress);
  });
}

TrainReport report_of(const TableTrainingOptions& options, const LabelledTable& labelled) {
  const Target& target = labelled.target;
  TrainReport report;
  report.file = options.file;
  report.input = kTableInput;
  report.target = target.name;
  report.positive = target.is_binary ? target.positive : "";
  report.is_binary = target.is_binary;
  report.is_positive_guessed = target.is_guessed;
  report.threshold = options.threshold;
  report.rows = labelled.table.rows();
  report.unlabelled = target.missing;
  report.bad_rows = labelled.table.bad_rows();
  report.first_bad = labelled.table.first_bad();
  return report;
}

// One training, from the loaded table on.
class TableTraining {
 public:
  TableTraining(const TableTrainingOptions& options, LabelledTable labelled, FurtherTargets further)
      : options_(options),
        labelled_(std::move(labelled)),
        further_(std::move(further)),
        table_(labelled_.table),
        target_(labelled_.target),
        report_(report_of(options, labelled_)),
        begin_s_(clock()) {}

  Result<TrainedModel> run() {
    if (!options_.group.empty()) TRY_OK(find_groups());
    TRY_OK(choose_plan());
    for (std::string& leak : leak_warnings(labelled_, further_, chosen_.lines)) {
      report_.warnings.push_back(std::move(leak));
    }
    TRY_OK(split());
    if (groups_) TRY_OK(order_by_a_column());
    if (options_.search) {
      TRY(searched_, search_splits(options_, labelled_, chosen_.plan,
                                   {splits_, row_groups(), &further_}, report_));
    }
    TRY_OK(searched_.is_empty() ? compare_kinds() : measure_the_searched());
    TRY(Trained trained, learn_the_best());
    for (std::string& doubt : doubts(report_)) report_.warnings.push_back(std::move(doubt));
    return TrainedModel{std::move(trained), std::move(report_)};
  }

 private:
  double clock() const { return options_.clock_s ? options_.clock_s() : 0; }

  Status find_groups() {
    TRY(groups_, group_rows(labelled_, options_.group));
    report_.group = options_.group;
    report_.is_ranking = options_.is_ranking;
    if (groups_->with_several > 0) return ok_status();
    const std::string message = fmt::format("--group {}: no two rows with a label have the same {}",
                                            options_.group, options_.group);
    if (options_.is_ranking) {
      return Error{Code::kInvalid, message + ": there is nothing to put in order", "group",
                   "name the column of the search, slate or test that rows were shown in"};
    }
    report_.warnings.push_back(message + ": nothing can be compared inside a group");
    return ok_status();
  }

  // Where groups are not among the rows tested on, what group a row is of says nothing of others.
  bool is_group_left_out() const {
    return groups_ && (options_.is_ranking || options_.test_file.empty());
  }

  Status choose_plan() {
    if (options_.is_classic) {
      TRY(chosen_, classic_plan(table_, target_));
    } else if (options_.plan) {
      TRY(chosen_, declared_plan(*options_.plan, table_, target_));
    } else {
      std::vector<std::string> drop = options_.drop;
      if (!options_.weight.empty()) drop.push_back(options_.weight);
      drop.insert(drop.end(), options_.also.names.begin(), options_.also.names.end());
      if (is_group_left_out()) drop.push_back(options_.group);
      TRY(chosen_, derived_plan(table_, target_, drop, options_.allow));
    }
    if (!options_.weight.empty()) {
      TRY_OK(weigh_rows(options_.weight, table_, target_, chosen_));
      TRY_OK(check_weights());
    }
    TRY_OK(further_.check(chosen_.plan));
    further_.mark(chosen_.lines);
    if (is_group_left_out() && !options_.plan) {
      std::erase_if(chosen_.lines,
                    [&](const PlanLine& line) { return line.column == options_.group; });
      chosen_.lines.push_back({options_.group, "left out", "says which rows compete"});
    }
    report_.plan = chosen_.lines;
    return ok_status();
  }

  // A row without a weight above 0 teaches nothing.
  Status check_weights() {
    TRY(const std::size_t column, table_.need_column(options_.weight, "weight"));
    std::uint64_t without = 0;
    for (const std::uint32_t row : labelled_.rows) {
      without += !(number_of(table_.cell(row, column)).value_or(0) > 0);
    }
    if (without == labelled_.rows.size()) {
      return Error{
          Code::kInvalid,
          fmt::format("{}: no row has a weight above 0 in {}", options_.file, options_.weight),
          "weight", "a weight is a number: 1 = counts as it is, 2 = twice"};
    }
    if (without > 0) {
      report_.warnings.push_back(
          fmt::format("{} of {} rows have no weight above 0 in {}: they "
                      "teach nothing",
                      without, labelled_.rows.size(), options_.weight));
    }
    return ok_status();
  }

  Status split() {
    if (!options_.test_file.empty()) return load_test_file();
    TRY(TableSplits split,
        split_table(labelled_, {options_.folds, options_.share, options_.time_column,
                                options_.model.seed, row_groups()}));
    splits_ = std::move(split.splits);
    report_.measured_on = std::move(split.measured_on);
    report_.warnings.insert(report_.warnings.end(), split.warnings.begin(), split.warnings.end());
    return ok_status();
  }

  std::span<const std::uint32_t> row_groups() const {
    return groups_ ? std::span<const std::uint32_t>(groups_->of_row)
                   : std::span<const std::uint32_t>();
  }

  // What needs no model, on the rows tested on.
  Status order_by_a_column() {
    Evaluation evaluation({.is_binary = target_.is_binary, .is_ranking = true});
    const std::vector<std::size_t> columns = used_columns(table_, chosen_.lines);
    for (const Split& split : splits_) {
      const auto order = best_column_order(labelled_, *groups_, columns, split.train);
      if (!order) return ok_status();
      const std::string& name = table_.columns()[order->column];
      report_.best_column.words = order->words(name);
      const LoadedTable& table = test_ ? *test_ : table_;
      TRY(const std::size_t column, table.need_column(name, "test"));
      TRY(const std::size_t group, table.need_column(options_.group, "group"));
      TRY(const std::size_t target, table.need_column(target_.name, "target"));
      for (const std::uint32_t row : split.test) {
        const std::string_view cell = trimmed(table.cell(row, target));
        const float label = cell.empty()        ? NAN
                            : target_.is_binary ? (cell == target_.positive ? 1.0F : 0.0F)
                                                : static_cast<float>(number_of(cell).value_or(NAN));
        evaluation.add(order->score(table.cell(row, column)), label, table.cell(row, group));
      }
    }
    report_.best_column.measures = evaluation.measures();
    return ok_status();
  }

  Status load_test_file() {
    TRY(LoadedTable test, load(options_.test_file, options_));
    if (!test.column(target_.name)) {
      return Error{Code::kInvalid,
                   fmt::format("{} has no column {}: there is nothing to test against",
                               options_.test_file, target_.name),
                   "test", "attune predict needs no target"};
    }
    test_ = std::make_unique<LoadedTable>(std::move(test));
    splits_ = {{labelled_.rows, every_row(test_->rows())}};
    report_.measured_on = options_.test_file;
    report_.bad_rows += test_->bad_rows();
    return ok_status();
  }

  bool is_joint() const { return !further_.empty() || options_.model.second_loss.weight > 0; }

  Status compare_kinds() {
    std::vector<std::string> kinds = options_.kinds;
    if (kinds.empty() || options_.search) kinds = {default_kind(target_, is_joint())};
    for (const std::string& kind : kinds) {
      TRY(KindReport report, measure(kind));
      report_.kinds.push_back(std::move(report));
    }
    std::stable_sort(report_.kinds.begin(), report_.kinds.end(),
                     [](const KindReport& a, const KindReport& b) {
                       return loss_to_compare(a) < loss_to_compare(b);
                     });
    return ok_status();
  }

  // The rows tested on are shown to the best of each kind once; they choose nothing. The one that
  // was chosen comes first, the others as far as there is time.
  Status measure_the_searched() {
    std::vector<std::string> left_out;
    for (const SearchCandidate* best : searched_.last().best_of_kinds()) {
      const double expected_s = best->seconds * static_cast<double>(splits_[0].train.size()) /
                                static_cast<double>(best->rows);
      if (!report_.kinds.empty() && clock() - begin_s_ + expected_s > options_.search->budget_s) {
        left_out.push_back(best->kind);
        continue;
      }
      TRY(KindReport report, measure(best->kind));
      report.settings = settings_text(best->settings);
      report_.kinds.push_back(std::move(report));
    }
    if (left_out.empty()) return ok_status();
    report_.warnings.push_back(
        fmt::format("no time was left to test {} beside it; --budget-seconds allows more",
                    fmt::join(left_out, ", ")));
    return ok_status();
  }

  // Trees are the same on any number of threads, so that what is looked for may use all, too. Of
  // several kinds those that learn on one thread do; alone such a kind is refused (use_threads).
  Threads threads_of(std::string_view kind) const {
    if (options_.search) return {is_tree_kind(kind) ? options_.search->threads : 1};
    if (options_.kinds.size() < 2) return options_.threads;
    if (is_tree_kind(kind)) return {options_.threads.count};
    return reads_fields(kind) && !options_.model.collision_free ? options_.threads : Threads{};
  }

  TableLearnOptions learn_options(const std::string& kind, std::size_t split,
                                  std::string stage) const {
    TableLearnOptions learn;
    const SearchCandidate* const found = searched_.best(kind, split);
    learn.model = options_for(
        options_.model, kind,
        found ? found->settings : std::vector<std::pair<std::string, double>>{}, target_.is_binary);
    if (found) limit_memory(options_.search->memory_bytes, learn.model);
    // Passes that are best for few rows may be far too many for more.
    const bool is_as_many = found && 2 * found->rows >= splits_[split].train.size();
    learn.passes = is_as_many ? found->passes : options_.passes;
    learn.threads = threads_of(kind);
    learn.calibration = options_.calibration;
    learn.model.tasks = further_.tasks();
    if (!further_.empty()) learn.further = &further_;
    if (options_.is_ranking) {
      learn.model.settings.emplace_back("ranking", 1);
      learn.groups = row_groups();
    }
    learn.clock_s = options_.clock_s;
    if (options_.on_stage) {
      learn.on_progress = [this, stage = std::move(stage)](const FitProgress& progress) {
        options_.on_stage(stage, progress);
      };
    }
    return learn;
  }

  Result<KindReport> measure(const std::string& kind) {
    KindReport report{.kind = kind,
                      .settings = {},
                      .passes = 0,
                      .losses = {},
                      .measures = {},
                      .folds = {},
                      .calibration = {}};
    EvaluationOptions as{target_.is_binary, options_.threshold,
                         labelled_.mean_label(labelled_.rows)};
    as.is_ranking = options_.is_ranking;
    Evaluation all(as);
    report_.test_rows = 0;
    std::optional<JointScores> joint;
    if (!further_.empty()) joint.emplace(joint_scores(kind));
    JointParts parts;
    for (std::size_t i = 0; i < splits_.size(); ++i) {
      const Split& split = splits_[i];
      const std::string stage =
          splits_.size() == 1 ? kind : fmt::format("{}, fold {}", kind, i + 1);
      TRY(LearnedTable learned,
          learn_table(table_, chosen_.plan, split.train, learn_options(kind, i, stage)));
      as.known_rate = labelled_.mean_label(split.train);
      Evaluation fold(as);
      if (i == 0) report_.train_rows = split.train.size() - learned.calibration_rows;
      report.calibration.kind = options_.calibration;
      report.calibration.rows += learned.calibration_rows;
      TRY_OK(score(learned.trained, split.test, {fold, all, report.calibration}));
      report_.test_rows += fold.rows();
      if (splits_.size() > 1) {
        report.folds.push_back({split.train.size(), fold.rows(), fold.measures()});
      }
      if (joint) {
        TRY_OK(score_heads(learned.trained, i, *joint));
        parts = learned.trained.model->joint_parts();
      }
      take_passes(learned.report, report);
      if (splits_.size() == 1) kept_.push_back(std::move(learned));
    }
    report.measures = all.measures();
    if (joint) report.joint = joint->report(std::move(parts));
    return report;
  }

  JointScores joint_scores(const std::string& kind) const {
    std::vector<double> rates;
    for (std::size_t t = 0; t <= further_.size(); ++t) {
      const Target& target = t == 0 ? target_ : further_[t - 1];
      const auto known = static_cast<double>(target.positives + target.negatives);
      rates.push_back(static_cast<double>(target.positives) / known);
    }
    return {learn_options(kind, 0, kind).model, std::move(rates)};
  }

  // The heads of a model on the rows tested on, and what a model of each task alone says of them.
  Status score_heads(const Trained& trained, std::size_t split, JointScores& scores) const {
    const LoadedTable& table = test_ ? *test_ : table_;
    const std::vector<std::uint32_t>& rows = splits_[split].test;
    TRY(const std::vector<float> labels, further_.labels_with(target_, table, rows));
    TRY(const HeadPredictions said, predict_heads(trained, table, rows));
    const std::vector<float>& predicted = said.predicted;
    scores.add(predicted, labels);
    if (options_.calibration != CalibrationKind::kNone) {
      scores.add_calibration(said.raw, predicted, labels);
    }
    for (std::size_t t = 0; options_.compare_alone && t <= further_.size(); ++t) {
      const std::string kind(trained.model->kind());
      const std::string& name = further_.tasks()[t].name;
      TableLearnOptions learn = learn_options(kind, split, fmt::format("{}, {} alone", kind, name));
      learn.model.tasks.clear();
      learn.passes = options_.passes;  // as many as help this one
      if (t > 0) learn.alone = t - 1;
      if (t == 0) learn.further = nullptr;
      TRY(const LearnedTable alone, learn_table(table_, chosen_.plan, splits_[split].train, learn));
      TRY(const Predictions predictions, predict_table(alone.trained, table, rows));
      scores.add_alone(t, predictions.predicted, predicted, labels);
    }
    return ok_status();
  }

  void take_passes(const FitReport& fit, KindReport& report) const {
    if (fit.best_passes < report.passes) return;
    report.passes = fit.best_passes;
    report.losses = fit.losses;
    report.validations = fit.validations;
    // Passes it found out itself are no fewer than help, unless it ran into their limit.
    const bool is_limit = options_.passes > 0 || fit.best_passes >= TableLearnOptions::kMostPasses;
    report.is_still_falling = fit.is_cut_short || (is_limit && fit.is_still_falling());
  }

  struct Scored {
    Evaluation &fold, &all;
    CalibrationReport& calibration;
  };

  Status score(const Trained& trained, std::span<const std::uint32_t> rows,
               const Scored& to) const {
    const LoadedTable& table = test_ ? *test_ : table_;
    std::optional<std::size_t> group;
    if (!options_.group.empty()) {
      TRY(group, table.need_column(options_.group, "group"));
    }
    TRY(const Predictions predictions, predict_table(trained, table, rows));
    for (std::size_t i = 0; i < rows.size(); ++i) {
      const std::string_view of = group ? table.cell(rows[i], *group) : std::string_view{};
      const float predicted = predictions.predicted[i], label = predictions.labels[i];
      to.fold.add(predicted, label, of);
      to.all.add(predicted, label, of);
      to.calibration.add(predictions.raw[i], predicted, label);
    }
    return ok_status();
  }

  // With a test set the model that was measured is kept; after folds, one learns from all rows.
  Result<Trained> learn_the_best() {
    const std::string kind = report_.kinds.front().kind;
    report_.threads = threads_of(kind);
    LearnedTable best;
    if (kept_.empty()) {
      TableLearnOptions learn = learn_options(kind, splits_.size() - 1, "learning from all rows");
      learn.passes = report_.kinds.front().passes;
      TRY(best, learn_table(table_, chosen_.plan, labelled_.rows, learn));
      report_.train_rows = labelled_.rows.size() - best.calibration_rows;
    } else {
      const auto at = std::find_if(kept_.begin(), kept_.end(), [&](const LearnedTable& one) {
        return one.trained.model->kind() == kind;
      });
      best = std::move(*at);
    }
    best.trained.known_rate =
        labelled_.mean_label(kept_.empty() ? labelled_.rows : splits_[0].train);
    best.trained.names = feature_names(*best.trained.rows, table_, labelled_.rows);
    for (std::string& doubt : best.trained.model->doubts()) {
      report_.warnings.push_back(std::move(doubt));
    }
    report_.table = best.trained.model->counts();
    report_.is_collision_free = best.trained.model->options().collision_free;
    report_.pass_seconds = best.report.passes_s;
    report_.learner_seconds = best.report.learner_s;
    report_.rows_learned = best.report.rows * report_.kinds.front().passes;
    return std::move(best.trained);
  }

  const TableTrainingOptions& options_;
  const LabelledTable labelled_;
  const FurtherTargets further_;
  const LoadedTable& table_;
  const Target& target_;
  std::optional<RowGroups> groups_;
  std::unique_ptr<LoadedTable> test_;
  ChosenPlan chosen_;
  std::vector<Split> splits_;
  TableSearch searched_;  // empty: nothing was searched
  std::vector<LearnedTable> kept_;
  TrainReport report_;
  const double begin_s_;
};

Result<Target> target_of(const LoadedTable& table, const TableTrainingOptions& options) {
  TargetOptions wanted{options.target, options.positive, "", false};
  if (wanted.name.empty() && options.plan) wanted.name = options.plan->target;
  if (wanted.name.empty() && options.is_classic) wanted.name = table.columns().back();
  if (wanted.name.empty()) {
    return Error{Code::kInvalid, "which column is to be predicted? name it with --target", "target",
                 fmt::format("the last column of {} is {}", options.file, table.columns().back())};
  }
  // Trees take whatever the target is.
  if (!options.kinds.empty() && !is_tree_kind(options.kinds.front())) {
    wanted.kind = options.kinds.front();
    wanted.is_value_kind = wanted.kind == "linear";
  }
  return find_target(table, wanted);
}

}  // namespace

Result<TrainedModel> train_table(const TableTrainingOptions& options) {
  TRY(LoadedTable table, load(options.file, options));
  TRY(Target target, target_of(table, options));
  TRY(FurtherTargets further, FurtherTargets::find(table, target, options.also));
  return TableTraining(options, LabelledTable(std::move(table), std::move(target)),
                       std::move(further))
      .run();
}

}  // namespace attune
