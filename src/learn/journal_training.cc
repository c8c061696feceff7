#include "learn/journal_training.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <utility>

#include "feature/row.h"
#include "learn/calibrating.h"
#include "learn/evaluation.h"
#include "learn/journal_heads.h"
#include "learn/journal_search.h"
#include "learn/model_search.h"
#include "learn/row_range.h"
#include "learn/verb_join.h"
#include "model/ftrl.h"
#include "stat/paired_loss.h"

namespace attune {
namespace {

constexpr int kLeastBits = 10;
constexpr std::size_t kInputSampleRows = 20'000;  // to number the inputs of a network
constexpr std::uint32_t kLeastRowsOfAnInput = 5;
constexpr std::uint64_t kShareForSearchRows = 4;  // one part of so many of the memory

// Rows of another source, which the model learns from once the next are asked for: what is said of
// them meanwhile is said before.
class LearnedAfter final : public BlockSource {
 public:
  using Learn = std::function<void(Examples& block)>;
  LearnedAfter(BlockSource& rows, Learn learn) : rows_(rows), learn_(std::move(learn)) {}

  Status begin(std::size_t pass) override {
    block_.clear();
    return rows_.begin(pass);
  }

  Result<bool> next(Examples& out) override {
    if (block_.size() > 0) learn_(block_);
    block_.clear();
    TRY(const bool has_rows, rows_.next(out));
    if (has_rows) block_ = out;
    return has_rows;
  }

  double share() const override { return rows_.share(); }

 private:
  BlockSource& rows_;
  Learn learn_;
  Examples block_;
};

// Another model beside the new one, on the rows both have yet to learn from.
struct Duel {
  std::string name;
  const Trained* trained = nullptr;  // null: the live learner
  PairedLoss losses;
};

class JournalTraining {
 public:
  JournalTraining(OutcomeSource& rows, const JournalTrainingOptions& options)
      : rows_(rows),
        options_(options),
        model_(options.model),
        passes_(options.passes),
        evaluation_({true, options.threshold, std::nullopt}) {
    report_.file = options.workspace;
    report_.input = kWorkspaceInput;
    report_.threshold = options.threshold;
    trained_.input = kWorkspaceInput;
    trained_.live_plan = options.plan;
    if (!options.model.tasks.empty()) {
      heads_.emplace(options.model.tasks);
      report_.target = options.model.tasks.front().name;
    } else {
      duels_.push_back({"the live learner", nullptr, {}});
    }
    for (const Rival& rival : options.rivals) duels_.push_back({rival.name, rival.trained, {}});
  }

  Result<TrainedModel> run() {
    if (!options_.plan.empty()) {
      TRY(const Plan plan, Plan::parse(options_.plan, "the workspace's plan"));
      sequences_ = live_sequences(plan);
    }
    if (heads_ && !options_.search) TRY_OK(check_heads());
    TRY_OK(count());
    if (options_.search) TRY_OK(choose());
    TRY_OK(make());
    TRY_OK(learn_head());
    TRY_OK(calibrate_on_held_back(trained_));
    TRY_OK(heads_ ? test_heads() : test_tail());
    TRY_OK(learn_tail());
    report_.table = trained_.model->counts();
    report_.is_collision_free = trained_.model->options().collision_free;
    take_rivals();
    for (std::string& doubt : doubts(report_)) report_.warnings.push_back(std::move(doubt));
    return TrainedModel{std::move(trained_), std::move(report_)};
  }

 private:
  void say(std::string_view stage, const FitProgress& progress) const {
    if (options_.on_stage) options_.on_stage(stage, progress);
  }

  // That there can be a model of them, before the journal is read.
  Status check_heads() const {
    ModelOptions smallest = options_.model;
    smallest.bits = kLeastBits;
    smallest.inputs = kLiveFields;
    if (takes_sequences(smallest.kind)) smallest.sequences = sequences_;
    TRY_OK(make_model(smallest));
    return ok_status();
  }

  // Kind, settings and passes, by the latest of the rows learned from.
  Status choose() {
    const JournalTrainingOptions::Search& search = *options_.search;
    const std::uint64_t bytes = options_.memory_bytes / kShareForSearchRows;
    TRY(const JournalSearchRows rows,
        JournalSearchRows::read(rows_, report_.train_rows, sequences_, {bytes, model_.seed}));
    if (rows.held_rows() < kFewestHeldRows) {
      report_.warnings.push_back(fmt::format(
          "{0} rows are too few to choose a kind of model by: it is {1}, as --kind {1} would have "
          "it",
          report_.train_rows, model_.kind));
      return ok_status();
    }
    SearchOptions as{.kinds = search.kinds,
                     .settings = search.settings,
                     .budget_s = search.budget_s,
                     .memory_bytes = bytes,
                     .model = options_.model,
                     .clock_s = options_.clock_s,
                     .on_stage = options_.on_stage};
    TRY(const SearchResult found, search_models(rows, as));
    const SearchCandidate& best = found.candidates.front();
    model_ = options_for(options_.model, best.kind, best.settings, true);
    chosen_settings_ = settings_text(best.settings);
    // Passes that are best for few rows may be too many for more.
    passes_ = 2 * best.rows >= report_.train_rows ? best.passes : 1;
    report_.choice = choice_report(found);
    report_.warnings.insert(report_.warnings.end(), found.notes.begin(), found.notes.end());
    return ok_status();
  }

  // How many rows there are, which decides which are tested on.
  Status count() {
    std::uint64_t yes = 0, rows = 0;
    TRY_OK(rows_.begin(0));
    while (true) {
      TRY(const bool has_rows, rows_.next(block_));
      if (!has_rows) break;
      rows += block_.size();
      yes +=
          static_cast<std::uint64_t>(std::count(block_.labels.begin(), block_.labels.end(), 1.0F));
      if (heads_) heads_->count(block_);
      say("counting", {.share = rows_.share(), .rows = rows});
    }
    report_.rows = rows;
    report_.test_rows =
        static_cast<std::uint64_t>(std::llround(static_cast<double>(rows) * options_.share));
    report_.train_rows = rows - report_.test_rows;
    if (is_calibrated()) {
      held_back_ = std::min(options_.most_to_calibrate,
                            static_cast<std::uint64_t>(std::llround(
                                static_cast<double>(report_.train_rows) * kHeldBackToCalibrate)));
      report_.train_rows -= held_back_;
    }
    report_.unlabelled = rows_.open_items();
    if (rows_.one_in() > 1) {
      report_.warnings.push_back(
          fmt::format("of one person in {} alone: more decisions wait for the end of their windows "
                      "than {} MB hold",
                      rows_.one_in(), kVerbBytes >> 20));
    }
    const auto invalid = [&](const std::string& what, const char* hint) {
      return Error{Code::kInvalid, options_.workspace + ": " + what, "workspace", hint};
    };
    if (rows == 0 && report_.unlabelled > 0) {
      return invalid(
          fmt::format("the windows of all {} shown items are still open", report_.unlabelled),
          "wait until they end: what has not happened yet is no no");
    }
    if (rows == 0) {
      return invalid("no decision has an outcome to learn from yet",
                     "rows come of decisions whose items were seen: ask for decisions, and send "
                     "impressions (unless they are served) and clicks");
    }
    trained_.known_rate = static_cast<double>(yes) / static_cast<double>(rows);
    if (heads_) return heads_->check(options_.workspace);
    if (yes == 0) {
      return invalid(fmt::format("0 positive examples in {} shown items", rows),
                     "send clicks, likes or purchases with properties.decision_id");
    }
    if (yes == rows) {
      return invalid(fmt::format("0 negative examples in {} shown items", rows),
                     "send impressions of what was shown and not taken, or wait until the outcome "
                     "windows end");
    }
    return ok_status();
  }

  Status make() {
    ModelOptions options = model_;
    if (is_tree_kind(options.kind)) {
      return Error{Code::kInvalid,
                   fmt::format("kind {} learns from files: on a workspace, what is learned must go "
                               "on with every outcome",
                               options.kind),
                   "kind", "use --kind ftrl or --kind fm"};
    }
    options.inputs = kLiveFields;
    if (takes_sequences(options.kind)) options.sequences = sequences_;
    if (needs_inputs(options.kind)) {
      Examples sample;
      RowRange head(rows_, 0, std::min<std::uint64_t>(report_.train_rows, kInputSampleRows));
      TRY_OK(head.begin(0));
      while (true) {
        TRY(const bool has_rows, head.next(block_));
        if (!has_rows) break;
        for (std::size_t i = 0; i < block_.size(); ++i) append_row(block_, i, sample);
      }
      trained_.inputs = InputMap::make(sample, kLeastRowsOfAnInput);
      options.inputs = trained_.inputs->inputs();
    }
    TRY_OK(make_within_memory(std::move(options)));
    report_.is_binary = trained_.model->is_probability();
    if (report_.is_binary) return ok_status();
    return Error{Code::kInvalid,
                 fmt::format("kind {} predicts a number; outcomes of decisions are yes or no",
                             trained_.model->kind()),
                 "kind", "use --kind ftrl or --kind fm"};
  }

  // Tables are halved until they fit. What saving takes is in kBesideModelBytes.
  Status make_within_memory(ModelOptions options) {
    const std::uint64_t limit = options_.memory_bytes;
    const int asked = options.bits;
    std::uint64_t needed = 0;
    for (;; --options.bits) {
      trained_.model.reset();
      auto made = make_model(options);
      const bool is_least = limit == 0 || options.bits <= kLeastBits;
      if (!made.ok() && (is_least || made.error().code != Code::kUnavailable)) return made.error();
      if (made.ok()) {
        const std::uint64_t models = options_.compare_alone ? 2 : 1;
        needed = models * (*made)->most_memory_bytes() + rival_bytes() +
                 (heads_ ? kBesideVerbsBytes : kBesideModelBytes) +
                 (is_calibrated() ? kBesideCalibrationBytes : 0);
        trained_.model = std::move(*made);
        if (is_least || needed <= limit) break;
      }
    }
    if (limit != 0 && needed > limit) {
      return Error{Code::kInvalid,
                   fmt::format("kind {} needs {} MB, more than the limit of {} MB", options.kind,
                               (needed >> 20) + 1, limit >> 20),
                   "memory", "allow more memory"};
    }
    if (options.bits != asked) {
      report_.warnings.push_back(
          fmt::format("tables of 2^{} weights instead of 2^{}, to stay below {} MB", options.bits,
                      asked, limit >> 20));
    }
    return ok_status();
  }

  std::uint64_t rival_bytes() const {
    std::uint64_t bytes = 0;
    for (const Rival& rival : options_.rivals) bytes += rival.trained->model->memory_bytes();
    return bytes;
  }

  Status learn_head() {
    RowRange head(rows_, 0, report_.train_rows);
    MappedRows mapped(head, trained_.inputs);
    FitOptions fit_options{.passes = passes_, .clock_s = options_.clock_s};
    fit_options.on_progress = [this](const FitProgress& progress) {
      say(trained_.model->kind(), progress);
    };
    TRY(const FitReport fitted, fit(*trained_.model, mapped, fit_options));
    report_.rows_learned = fitted.rows * passes_;
    report_.pass_seconds = fitted.passes_s;
    report_.learner_seconds = fitted.learner_s;
    report_.kinds = {KindReport{.kind = std::string(trained_.model->kind()),
                                .settings = chosen_settings_,
                                .passes = passes_,
                                .losses = fitted.losses,
                                .is_still_falling = fitted.is_still_falling(),
                                .measures = {},
                                .folds = {},
                                .calibration = {options_.calibration, held_back_, {}, {}}}};
    return ok_status();
  }

  bool is_calibrated() const { return options_.calibration != CalibrationKind::kNone; }
  // The rows tested on begin where those held back end.
  std::uint64_t test_from() const { return report_.train_rows + held_back_; }

  // one: as it is after report_.train_rows; of one task of several, that one.
  Status calibrate_on_held_back(Trained& one, std::optional<std::size_t> task = std::nullopt) {
    RowRange held_back(rows_, report_.train_rows, test_from());
    if (task) {
      OneTask rows(held_back, *task);
      TRY_OK(calibrate(one, options_.calibration, rows, 0));
    } else {
      TRY_OK(calibrate(one, options_.calibration, held_back, 0));
    }
    return ok_status();
  }

  // The live learner goes through all rows as it does when they come: predict, then learn.
  Status test_tail() {
    Ftrl live{FtrlOptions()};
    std::vector<double> live_p;
    std::uint64_t at = 0;
    TRY_OK(rows_.begin(0));
    while (true) {
      TRY(const bool has_rows, rows_.next(block_));
      if (!has_rows) break;
      live_p.clear();
      for (std::size_t i = 0; i < block_.size(); ++i) {
        const Row row = block_.row(i);
        const bool label = block_.labels[i] > 0.5F;
        live_p.push_back(block_.weight(i) > 0 ? live.learn(row, label) : live.predict(row));
      }
      if (at + block_.size() > test_from()) {
        test(at < test_from() ? static_cast<std::size_t>(test_from() - at) : 0, live_p);
      }
      at += block_.size();
      say("testing", {.share = rows_.share(), .rows = at});
    }
    take_measures();
    return ok_status();
  }

  void take_measures() {
    report_.measured_on =
        fmt::format("the latest {} of {} shown items", report_.test_rows, report_.rows);
    report_.kinds.front().measures = evaluation_.measures();
  }

  // Each head, and if asked for a model of each verb alone.
  Status test_heads() {
    const ModelOptions& options = trained_.model->options();
    heads_->begin_test(options);
    TRY_OK(each_tested_block("testing", [this](std::span<const Time> times) {
      const std::vector<float> raw = heads_->test(trained_, block_);
      for (std::size_t i = 0; i < raw.size(); ++i) evaluate(raw[i], block_.labels[i]);
      for (Duel& duel : duels_) fight(duel, 0, raw, times);
    }));
    take_measures();
    for (std::size_t task = 0; options_.compare_alone && task < options.tasks.size(); ++task) {
      TRY_OK(test_alone(task));
    }
    report_.kinds.front().joint = heads_->report(trained_.model->joint_parts());
    return ok_status();
  }

  Status test_alone(std::size_t task) {
    const std::string stage = fmt::format("{}, {} alone", trained_.model->kind(),
                                          trained_.model->options().tasks[task].name);
    ModelOptions options = trained_.model->options();
    options.tasks.clear();
    Trained alone;
    TRY(alone.model, make_model(options));
    RowRange head(rows_, 0, report_.train_rows);
    OneTask rows(head, task);
    FitOptions fit_options{.passes = passes_, .clock_s = options_.clock_s};
    fit_options.on_progress = [&](const FitProgress& progress) { say(stage, progress); };
    TRY_OK(fit(*alone.model, rows, fit_options));
    TRY_OK(calibrate_on_held_back(alone, task));
    return each_tested_block(stage, [&](std::span<const Time> /*times*/) {
      heads_->test_alone(task, trained_, alone, block_);
    });
  }

  // Calls take(times) with each block of the rows tested on in block_.
  template <class Take>
  Status each_tested_block(const std::string& stage, const Take& take) {
    RowRange tail(rows_, test_from(), report_.rows);
    TRY_OK(tail.begin(0));
    std::uint64_t rows = 0;
    while (true) {
      TRY(const bool has_rows, tail.next(block_));
      if (!has_rows) return ok_status();
      take(tail.times());
      rows += block_.size();
      say(stage, {.share = tail.share(), .rows = rows});
    }
  }

  void evaluate(float raw, float label) {
    const float predicted = trained_.calibrated(raw);
    evaluation_.add(predicted, label);
    report_.kinds.front().calibration.add(raw, predicted, label);
  }

  // The rows of the block from `first` on.
  void test(std::size_t first, const std::vector<double>& live_p) {
    const std::vector<float> own = predicted(trained_);
    for (std::size_t i = first; i < own.size(); ++i) evaluate(own[i], block_.labels[i]);
    for (Duel& duel : duels_) fight(duel, first, own, rows_.times(), live_p);
  }

  // Of the block's rows from `first` on, those the other has yet to learn from. own: what the new
  // model says of each.
  void fight(Duel& duel, std::size_t first, std::span<const float> own, std::span<const Time> times,
             std::span<const double> live_p = {}) {
    std::vector<float> others;
    if (duel.trained != nullptr) others = predicted(*duel.trained);
    for (std::size_t i = first; i < own.size(); ++i) {
      if (duel.trained != nullptr && times[i] <= duel.trained->learned_until) continue;
      const double other = duel.trained != nullptr ? double{others[i]} : live_p[i];
      duel.losses.add(double{own[i]}, other, block_.labels[i] > 0.5F);
    }
  }

  std::vector<float> predicted(const Trained& trained) {
    std::vector<float> out;
    if (!trained.inputs) {
      trained.predict_raw(block_, out);
      return out;
    }
    Examples copy = block_;  // which becomes numbered inputs
    trained.predict_raw(copy, out);
    return out;
  }

  // So that the model saved knows the latest rows too. They were tested on before.
  Status learn_tail() {
    std::uint64_t from = report_.rows;  // calibrated from here on
    if (is_calibrated()) {
      from = std::max(report_.train_rows, from - std::min(from, options_.most_to_calibrate));
    }
    RowRange tail(rows_, report_.train_rows, from);
    TRY_OK(tail.begin(0));
    while (true) {
      TRY(const bool has_rows, tail.next(block_));
      if (!has_rows) break;
      learn(block_);
    }
    RowRange latest(rows_, from, report_.rows);
    LearnedAfter said_before(latest, [this](Examples& block) { learn(block); });
    TRY_OK(calibrate(trained_, options_.calibration, said_before, 0));
    return ok_status();
  }

  // Of the block its source handed out last.
  void learn(Examples& block) {
    if (trained_.inputs) trained_.inputs->apply(block);
    std::vector<float> before(block.size());
    trained_.model->learn(block, before);
    report_.rows_learned += block.size();
    const auto times = rows_.times();
    if (!times.empty()) {
      trained_.learned_until =
          std::max(trained_.learned_until, *std::max_element(times.begin(), times.end()));
    }
  }

  void take_rivals() {
    for (const Duel& duel : duels_) {
      report_.rivals.push_back({.name = duel.name,
                                .rows = duel.losses.n(),
                                .log_loss = duel.losses.other_log_loss(),
                                .difference = duel.losses.difference(),
                                .interval = duel.losses.interval(),
                                .verdict = duel.losses.verdict()});
    }
  }

  OutcomeSource& rows_;
  const JournalTrainingOptions& options_;
  ModelOptions model_;  // as asked for, or chosen
  std::size_t passes_;
  std::string chosen_settings_;
  Trained trained_;
  TrainReport report_;
  std::uint64_t held_back_ = 0;           // to calibrate: after report_.train_rows
  std::vector<SequenceField> sequences_;  // of the rows, for kinds that take them
  Evaluation evaluation_;
  std::vector<Duel> duels_;
  std::optional<JournalHeads> heads_;  // of a model of verbs
  Examples block_;
};

}  // namespace

Result<TrainedModel> train_journal(OutcomeSource& rows, const JournalTrainingOptions& options) {
  return JournalTraining(rows, options).run();
}

}  // namespace attune
