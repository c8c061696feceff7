// TrainReport: what there is to say of a training: what was learned from, how good it is and how
// that was measured, what gives reason to doubt. Data; printed by cli, saved with the model.
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "format/table.h"
#include "learn/joint_report.h"
#include "model/model.h"
#include "stat/calibration.h"
#include "stat/measure.h"
#include "stat/paired_loss.h"
#include "stat/reliability.h"

namespace attune {

class JsonWriter;

struct FoldReport {
  std::uint64_t train_rows = 0, test_rows = 0;
  std::vector<Measure> measures;
};

// How predictions were calibrated, and what that did to the rows tested on, which the map has not
// seen. Nothing is counted of kind none.
struct CalibrationReport {
  CalibrationKind kind = CalibrationKind::kNone;
  std::uint64_t rows = 0;     // held back for it, of all folds
  Reliability before, after;  // of the rows tested on; empty where they are those learned from
  void add(float raw, float calibrated, float label);
};

// A kind of model that was tried on the same rows.
struct KindReport {
  std::string kind;
  std::string settings = {};  // as found by a search; "" = not searched
  std::size_t passes = 0;
  std::vector<double> losses;            // of each pass, before learning
  std::vector<double> validations = {};  // after each, on rows held back to find how many are best
  bool is_still_falling = false;
  std::vector<Measure> measures;
  std::vector<FoldReport> folds;
  CalibrationReport calibration;
  std::optional<JointReport> joint = {};  // of a model of several tasks
};

// One that was tried when the model was chosen.
struct CandidateReport {
  std::string kind, settings;
  std::uint64_t rows = 0;  // learned from, the last time
  std::size_t passes = 0;
  double loss = 0;  // on the rows held back for choosing: log loss, or squared error
  std::optional<Interval> interval = {};
};
struct ChoiceReport {
  std::string reason;                       // why, in words; "" = nothing was to be chosen
  std::vector<CandidateReport> candidates;  // the chosen one first
  std::uint64_t held_rows = 0;
  double baseline = 0;  // loss of always saying the base rate, or the mean
};

// Another model on the tested rows that neither has learned from.
struct RivalReport {
  std::string name;
  std::uint64_t rows = 0;
  std::optional<double> log_loss = {};    // its own
  std::optional<double> difference = {};  // the new one's less its own: below 0 = the new is better
  std::optional<Interval> interval = {};  // 95 %, of the difference
  PairedLoss::Verdict verdict = PairedLoss::Verdict::kNoClearDifference;  // on the new one
};
// "better", "worse", "no clear difference"
std::string_view verdict_name(PairedLoss::Verdict verdict);

// A feature or column of the plan, and why it is used so or left out.
struct PlanLine {
  std::string column, use, reason;
};

// The rows tested on, ordered by the one column that orders those learned from best.
struct ColumnOrderReport {
  std::string words;  // "views, the largest first"; "" = there are no groups
  std::vector<Measure> measures;
};

struct TrainReport {
  std::string file, input;       // "table", "criteo", ...
  std::string target, positive;  // of a table; positive: the text that means yes
  bool is_binary = true;
  bool is_positive_guessed = false;
  bool is_ranking = false;        // what is learned is the order inside a group, no probability
  std::string group;              // column of those that compete; "" = none
  ColumnOrderReport best_column;  // where they do
  double threshold = 0.5;
  std::uint64_t rows = 0, train_rows = 0, test_rows = 0, bad_rows = 0, unlabelled = 0;
  std::string measured_on;        // "9,042 rows drawn at random (seed 1)"
  std::vector<KindReport> kinds;  // the best first: it is the model
  ChoiceReport choice;
  std::vector<PlanLine> plan;
  std::vector<RivalReport> rivals;  // of a training on a journal: the live learner, then others
  std::vector<std::string> warnings;
  std::vector<BadRow> first_bad;
  double seconds = 0;              // from the first byte of text to the model, saved
  Threads threads;                 // that learned
  double cpu_seconds = 0;          // of the process, all threads
  double pass_seconds = 0;         // of them reading and learning
  double learner_seconds = 0;      // of them inside the model
  std::uint64_t rows_learned = 0;  // over all passes of the model that is kept
  std::uint64_t peak_rss_bytes = 0;
  TableCounts table;  // of the model that is kept; all 0 without a table
  bool is_collision_free = false;
  std::string cache;             // of rows; "" = none
  bool is_cache_reused = false;  // it was made by an earlier run
  std::string output, model_id;
  std::string run;  // its id among the runs (run_log.h); "" = not recorded
};

// Why a model trained on a journal should not rank, in words; nullopt: it may. It is to be judged
// on enough rows, to beat the base rate, and not to be worse than what ranks now: the last rival.
std::optional<std::string> reason_not_to_promote(const TrainReport& report);

// One object: the measures of the best under their plain names, then the rest.
std::string report_json(const TrainReport& report);

// What a kind was chosen by: "log_loss", "joint_log_loss", "squared_error".
std::string_view choice_loss(const TrainReport& report);

// Kinds are compared by this: log_loss, or rmse of numbers; of several tasks the joint loss;
// infinity where it is undefined.
double loss_to_compare(const KindReport& kind);

// The table of weights in a line: rows taken, ids that share one, turned away or dropped; ""
// without a table.
std::string table_line(const TrainReport& report);

// "calibrated by isotonic on 1,234 rows held back: ..."; "" when it is not.
std::string calibration_line(const CalibrationReport& calibration);

// What the measures and passes give reason to doubt: accuracy on skewed data, one class, a model no
// better than its baseline, a loss still falling, linear regression on yes or no.
std::vector<std::string> doubts(const TrainReport& report);

}  // namespace attune
