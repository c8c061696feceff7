// Table training: from a file with a target column to a model and what is known of it: the target
// is looked at, leaks are looked for, a plan is derived, rows are split, kinds compared. The pieces
// are in files of their own; this is their order. One thread.
#pragma once
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "feature/plan.h"
#include "format/table.h"
#include "learn/fit.h"
#include "learn/further_targets.h"
#include "learn/train_report.h"
#include "learn/trained.h"

namespace attune {

// Told what is being done, and how far that is.
using StageListener = std::function<void(std::string_view stage, const FitProgress&)>;

struct TableTrainingOptions {
  std::string file;
  TableOptions table;  // how the file is written
  std::string target, positive;
  std::vector<std::string> drop, allow;  // columns left out; sensitive names let in
  std::optional<Plan> plan;              // declared; else one is derived
  // Predicted too, by one model with the target: kinds of ModelKind::takes_tasks. compare_alone:
  // each beside a model of the kind that learns it alone.
  FurtherTargetOptions also = {};
  bool compare_alone = false;
  bool is_classic = false;  // the first 10 columns as they are, the last one the label
  // How good it is, is measured on: another file, else k folds, else a share of the rows.
  std::string test_file;
  std::size_t folds = 0;
  double share = 0.2;
  // Rows are split by time: "" = by the column that holds times, if one does; "none" = never.
  std::string time_column;
  std::vector<std::string> kinds;  // compared, the best is kept; none: ftrl, or linear of a number
  // Kinds (all that fit, when none are named) and settings are looked for instead, inside the rows
  // learned from: the first reported is what was chosen there, whatever the test says.
  struct Search {
    std::size_t settings = 6;        // of each kind
    double budget_s = 60;            // for choosing and learning, about
    std::uint64_t memory_bytes = 0;  // of one model; 0 = as its kind has it
    std::size_t threads = 1;         // settings tried at once
    // File of what was found out so far (trial_log.h): goes on from there; "" = none.
    std::string resume = {};
  };
  std::optional<Search> search;
  ModelOptions model;      // but for the kind
  Threads threads = {};    // that learn a model of a named kind
  std::size_t passes = 0;  // 0 = as many as help
  double threshold = 0.5;
  CalibrationKind calibration = CalibrationKind::kNone;
  std::string weight;  // column of how much a row counts in learning; "" = all alike
  // Column of what rows compete in (a search, a slate): they are ranked inside it, and stay on one
  // side of the split.
  std::string group;
  bool is_ranking = false;  // learns the order inside a group; needs one, and kind trees
  std::function<double()> clock_s;
  StageListener on_stage;
};

struct TrainedModel {
  Trained trained;
  TrainReport report;  // without output, seconds and memory
};

Result<TrainedModel> train_table(const TableTrainingOptions& options);

}  // namespace attune
