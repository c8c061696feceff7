// JointScores: what a model of several tasks predicts of rows beside their labels, and what a model
// of each task alone does, measured. One thread.
#pragma once
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "learn/block_source.h"
#include "learn/joint_report.h"
#include "model/joint_loss.h"
#include "stat/binary_scores.h"
#include "stat/paired_loss.h"
#include "stat/reliability.h"

namespace attune {

class JointScores {
 public:
  // options: of the model, with its tasks; known_rates: of the rows learned from, by task.
  JointScores(const ModelOptions& options, std::vector<double> known_rates);
  // predicted, labels: (rows, tasks), NaN = not known. Rows as they lie side by side in batches:
  // the second loss compares them.
  void add(std::span<const float> predicted, std::span<const float> labels);
  // The same rows as the model says them before calibration and after.
  void add_calibration(std::span<const float> raw, std::span<const float> predicted,
                       std::span<const float> labels);
  // Of the same rows and one task, by a model that learned that task alone.
  void add_alone(std::size_t task, std::span<const float> alone, std::span<const float> predicted,
                 std::span<const float> labels);
  // learned: the parts while it learned.
  JointReport report(JointParts learned);

 private:
  struct Alone {
    BinaryScores scores;
    PairedLoss paired;
  };
  std::size_t tasks() const { return options_.tasks.size(); }

  ModelOptions options_;
  JointLoss loss_;
  std::vector<BinaryScores> scores_;
  std::vector<std::uint64_t> unknown_;
  std::vector<Reliability> before_, after_;
  std::vector<std::optional<Alone>> alone_;
  std::vector<double> known_rates_;
};

// The joint loss of the rows: what a model of several tasks lowers. Nothing is learned.
Result<double> mean_joint_loss(const Model& model, BlockSource& rows);

}  // namespace attune
