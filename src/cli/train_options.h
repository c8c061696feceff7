// What `attune train` is asked for, and whether it fits together.
#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "base/result.h"
#include "cli/joint_flags.h"
#include "cli/model_input.h"
#include "cli/search_flags.h"
#include "cli/train_record.h"
#include "model/model.h"

namespace attune {

struct TrainOptions {
  FileOptions file;
  std::string target, positive, plan, preset, test_file, time_column, weight, group, objective,
      cache;
  std::vector<std::string> drop, allow, kinds, settings;
  double share = 0.2, threshold = 0.5;
  std::size_t folds = 0, passes = 0, weights = 0, threads = 0;
  bool is_hogwild = false;
  int bits = 0;
  bool is_collision_free = false;
  std::uint32_t admit_after = 0;
  std::uint64_t expire_rows = 0;
  std::string table_memory;
  SearchFlags search;
  JointFlags joint;
  std::uint64_t seed = 1;
  std::string output = "model.attune";
  std::string calibration = "none";
  RecordOptions record;
  bool keeps_names = false, is_json = false;
  // Of a workspace.
  std::string workspace, server, name, memory;
  std::vector<std::string> against;
  double cpu_share = 1;
  bool is_promoted = false;
};

// Whether settings or passes are said, which a search would look for.
bool is_settled(const TrainOptions& options);
// Whether kind and settings of a table are looked for: when it is asked for, or nothing about them
// is said.
bool is_search(const TrainOptions& options);
// Whether the order inside a group is learned: so asked for, or trees alone with a group.
bool is_ranking(const TrainOptions& options);

inline constexpr const char* kClassic = "mlp";  // the preset

// kInvalid names what does not fit together, or lacks.
Status check_train(const TrainOptions& options);
// But for the kind. kInvalid for a setting that is no NAME=NUMBER.
Result<ModelOptions> model_options(const TrainOptions& options);

}  // namespace attune
