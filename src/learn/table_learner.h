// Learning from a table: rows made by a plan that is fitted on the rows learned from alone, passes
// over them in shuffled order, and their predictions. Same seed and threads, same model. One thread
// may call it.
#pragma once
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "base/result.h"
#include "feature/table_rows.h"
#include "learn/fit.h"
#include "learn/further_targets.h"
#include "learn/loaded_table.h"
#include "learn/trained.h"

namespace attune {

struct TableLearnOptions {
  static constexpr std::size_t kMostPasses = 30;  // of those it finds out itself
  ModelOptions model;
  // 0 = as many as lower the loss of a tenth of the rows that is held back for it; then all rows
  // are learned from so many times.
  std::size_t passes = 0;
  Threads threads = {};  // that learn the model
  // Rows are held back for it, and not learned from (learn/calibrating.h).
  CalibrationKind calibration = CalibrationKind::kNone;
  // Learned together with the target by a model of several tasks; or one of them, by its place,
  // alone instead of the target.
  const FurtherTargets* further = nullptr;
  std::optional<std::size_t> alone = {};
  std::span<const std::uint32_t> groups = {};  // of each row of the table, where rows compete
  std::function<double()> clock_s;
  std::function<void(const FitProgress&)> on_progress;
};

struct LearnedTable {
  Trained trained;
  FitReport report;
  std::uint64_t calibration_rows = 0;  // held back
};

// Rows as a kind of model takes them, made by a plan fitted on the rows learned from.
struct MadeRows {
  std::optional<TableRows> rows = {};
  std::optional<InputMap> inputs = {};
  std::size_t model_inputs = 0;               // ModelOptions::inputs
  std::vector<SequenceField> sequences = {};  // ModelOptions::sequences
  Examples examples = {};                     // of the rows learned from, in their order
  // Further rows of the same table, made alike.
  Examples more(const LoadedTable& table, std::span<const std::uint32_t> numbers) const;
};
Result<MadeRows> make_rows(const LoadedTable& table, const Plan& plan,
                           std::span<const std::uint32_t> rows, const std::string& kind);

// rows: of the table, learned from.
Result<LearnedTable> learn_table(const LoadedTable& table, const Plan& plan,
                                 std::span<const std::uint32_t> rows,
                                 const TableLearnOptions& options);

// The names of the features of the rows.
FeatureNames feature_names(const TableRows& rows, const LoadedTable& table,
                           std::span<const std::uint32_t> numbers);

struct Predictions {
  std::vector<float> predicted, labels;  // of each row asked for; a label is NaN where it has none
  std::vector<float> raw;                // what the model says, before calibration
};

// Of every task of the model: (rows, heads).
struct HeadPredictions {
  std::vector<float> predicted, raw;  // raw: before calibration
};
Result<HeadPredictions> predict_heads(const Trained& trained, const LoadedTable& table,
                                      std::span<const std::uint32_t> rows);

// The table may lack the target, and have its columns in another order; kInvalid names a missing
// one.
Result<Predictions> predict_table(const Trained& trained, const LoadedTable& table,
                                  std::span<const std::uint32_t> rows);

}  // namespace attune
