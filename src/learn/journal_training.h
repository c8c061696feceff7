// Journal training: from what a workspace's decisions came to, to a model that can rank there. The
// latest rows are tested on before they are learned from, beside the live learner (unless they are
// labelled by verb, which it does not learn) and other models.
// Calibrated, it holds the latest rows before those back to fit the map; once tested, the map is
// fitted again on what the model says of each later row before it learns from it, so that the model
// saved knows all rows. Rivals are compared by what ranks: predictions before calibration. One
// thread; memory does not grow with the journal.
#pragma once
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "learn/outcome_source.h"
#include "learn/table_training.h"

namespace attune {

// Another model, tested on the same rows: those of them it has not learned from.
struct Rival {
  std::string name;  // "ranker@3"
  const Trained* trained = nullptr;
};

struct JournalTrainingOptions {
  std::string workspace;  // for the report
  std::string plan;       // that its rows are made by, TOML
  // tasks: verbs, of which its rows have a label each, in that order; empty: engaged with or not.
  ModelOptions model;
  // Kind, settings and passes are looked for by the latest rows before those tested on; model.kind
  // is what is learned where they are too few.
  struct Search {
    std::vector<std::string> kinds;  // none: all that can rank
    std::size_t settings = 6;        // of each
    double budget_s = 60;            // half of it for choosing, about
  };
  std::optional<Search> search = {};
  bool compare_alone = false;  // each verb beside a model that learns it alone
  std::size_t passes = 1;
  double share = 0.2;  // of the rows, the latest: tested on
  double threshold = 0.5;
  CalibrationKind calibration = CalibrationKind::kNone;
  std::uint64_t most_to_calibrate = 200'000;  // rows that a map is fitted on, held in memory
  std::vector<Rival> rivals;       // of a model of verbs, those whose first task is the same
  std::uint64_t memory_bytes = 0;  // tables are made smaller to keep it, or kInvalid; 0 = no limit
  std::function<double()> clock_s;
  StageListener on_stage;
};

// kInvalid when there is too little to learn from, saying what to send.
Result<TrainedModel> train_journal(OutcomeSource& rows, const JournalTrainingOptions& options);

// What it takes beside the model: what waits for its outcome, blocks, the journal's buffers.
// Of verbs more waits.
inline constexpr std::uint64_t kBesideModelBytes = 112u << 20;
inline constexpr std::uint64_t kBesideVerbsBytes = kBesideModelBytes + (64u << 20);
inline constexpr std::uint64_t kBesideCalibrationBytes = 32u << 20;

}  // namespace attune
