// Models of a workspace's own decisions: trained, tested and applied on the outcomes in its
// journal, which may be in use meanwhile.
#pragma once
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "cli/train_screen.h"
#include "learn/journal_training.h"

namespace attune {

struct JournalOptions {
  std::string workspace;
  std::vector<std::string> against;  // models to compare with: files or NAME[@VERSION]
  ModelOptions model;                // with tasks: verbs, learned together
  std::optional<JournalTrainingOptions::Search> search = {};
  bool compare_alone = false;
  std::size_t passes = 1;
  double share = 0.2, threshold = 0.5;
  CalibrationKind calibration = CalibrationKind::kNone;
  bool keeps_names = false;
  std::uint64_t memory_bytes = 0;  // of the process; 0 = no limit
  double cpu_share = 1;            // of one core
  std::function<double()> clock_s;
};

Result<TrainedModel> train_on_workspace(const JournalOptions& options, TrainScreen& screen);

// Calls `use` with each block of outcomes, of a model of verbs with a label for each, and what the
// model says of them, (rows, heads); from the first row the model has not learned from, or from the
// very first. Gives how many rows were left out as learned from.
using TakeOutcomes =
    std::function<Status(const Examples& rows, const std::vector<float>& predicted)>;
Result<std::uint64_t> score_workspace(const Trained& trained, const std::string& workspace,
                                      bool is_all, TrainScreen& screen, const TakeOutcomes& use);

// Ends the process with a message when it asks for more memory than that. 0 = no limit.
void limit_memory(std::uint64_t bytes);

}  // namespace attune
