// Fit: passes over rows until a model has learned from them, and what its loss was on the way.
// Deterministic for the order of the rows. One thread.
#pragma once
#include <cstdint>
#include <functional>
#include <optional>
#include <vector>

#include "base/result.h"
#include "learn/block_source.h"
#include "model/model.h"
#include "stat/metrics.h"

namespace attune {

struct FitProgress {
  std::size_t pass = 0, passes = 1;  // pass from 0
  double share = -1;                 // of the pass; less than 0 = not known
  std::uint64_t rows = 0;            // of the pass so far
  double recent_loss = 0;            // of the rows since the last call
};

struct FitOptions {
  std::size_t passes = 1;  // one, whatever is asked, of a model that learns at the end
  std::function<double()> clock_s = {};                      // absent: times are 0
  std::function<void(const FitProgress&)> on_progress = {};  // after each block or so
  // After each pass, the loss on rows not learned from: stops when it has not fallen for
  // `patience` passes.
  std::function<Result<double>()> validate = {};
  std::size_t patience = 5;
};

struct FitReport {
  // Of each pass: of each row before it was learned from. None of a model that learns at the end,
  // whose `progressive` is empty too.
  std::vector<double> losses;
  std::vector<double> validations;  // after each pass, if asked for
  std::size_t best_passes = 0;      // by validation, else all
  std::uint64_t rows = 0;           // with a label, of one pass
  std::uint64_t unlabelled = 0;     // of one pass: taught nothing
  std::uint64_t positives = 0;      // of one pass: labels above 0.5
  ProgressiveMetrics progressive;   // of the first pass; only of a probability
  double passes_s = 0;              // reading and learning, of all passes
  double learner_s = 0;             // of them inside the model
  bool is_cut_short = false;        // a model that learns at the end would have gone on
  // That, or the loss of the last pass fell by more than 0.5 % of that of the pass before.
  bool is_still_falling() const;
};

// Log loss of a probability, else the squared error. 0 for NaN.
double loss_of(const Model& model, float predicted, float label);

Result<FitReport> fit(Model& model, BlockSource& rows, const FitOptions& options);

// The mean loss of the rows; nothing is learned.
Result<double> mean_loss(const Model& model, BlockSource& rows);

}  // namespace attune
