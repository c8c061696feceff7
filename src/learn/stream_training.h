// Stream training: from a file made for learners (Criteo, Vowpal Wabbit, libsvm, libffm) to a
// model, block by block: memory does not grow with the file. Rows are learned from in the order of
// the file; parsing has a thread of its own. Same file, seed
// and threads, same model.
#pragma once
#include <cstdint>
#include <functional>
#include <string>

#include "base/result.h"
#include "format/example_reader.h"
#include "learn/table_training.h"

namespace attune {

struct StreamTrainingOptions {
  std::string file, format_name;
  ExampleFormat format{};
  std::string test_file;  // "" = measured on each row before it is learned from, in the first pass
  ModelOptions model;
  std::size_t passes = 1;
  // Threads that learn; beside more than one, another reads ahead. 1 = all on one thread, 0 = one
  // learns and another reads ahead. The model depends on how many learn.
  std::size_t threads = 0;
  bool is_hogwild = false;  // as Threads
  double threshold = 0.5;
  // The rows held back for it are read once more after the passes.
  CalibrationKind calibration = CalibrationKind::kNone;
  // "" = every pass parses the file; else a file of its rows, written by the first pass and read by
  // the others, and by later runs while the data file stays as it is.
  std::string cache;
  bool keeps_names = false;  // of features, for explaining; slow
  std::function<double()> clock_s;
  StageListener on_stage;
};

Result<TrainedModel> train_stream(const StreamTrainingOptions& options);

}  // namespace attune
