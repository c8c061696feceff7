// What is kept of a training beside its model: a line of the run registry, and TensorBoard's event
// files.
#pragma once
#include <string>
#include <utility>
#include <vector>

#include "base/result.h"
#include "cli/training_curve.h"
#include "learn/table_training.h"

namespace attune {

class Command;

struct RecordOptions {
  std::string runs;                                        // folder of the registry; "" = none
  std::string tensorboard;                                 // folder of event files; "" = none
  std::vector<std::pair<std::string, std::string>> given;  // options of the command line
};

// The options the user gave, by name, without those that change nothing about the model.
std::vector<std::pair<std::string, std::string>> given_options(const Command& command);

// The id of the run; "" when nothing is recorded.
Result<std::string> record_run(const RecordOptions& options, const TrainedModel& made,
                               const TrainingCurve& curve);

}  // namespace attune
