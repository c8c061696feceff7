// FurtherTargets: the columns that are to be predicted beside the first target, each yes or no: by
// one model of several tasks, or one of them alone. Data once found; safe to share.
#pragma once
#include <span>
#include <string>
#include <vector>

#include "base/result.h"
#include "feature/plan.h"
#include "learn/loaded_table.h"
#include "learn/target.h"
#include "learn/train_report.h"
#include "model/model.h"

namespace attune {

struct FurtherTargetOptions {
  std::vector<std::string> names;                            // columns
  std::vector<std::pair<std::string, double>> weights = {};  // stated, of any target; others 1
};

// kInvalid: it is there already.
Status add_task(const std::string& name, std::vector<TaskOptions>& tasks);
// The weights stated. kInvalid: of none of the tasks, or twice.
Status set_weights(const FurtherTargetOptions& options, std::vector<TaskOptions>& tasks);

class FurtherTargets {
 public:
  FurtherTargets() = default;
  // kInvalid: no such column, one that is no yes or no, one twice or the first again, a weight of
  // none of them.
  static Result<FurtherTargets> find(const LoadedTable& table, const Target& first,
                                     const FurtherTargetOptions& options);
  bool empty() const { return targets_.empty(); }
  std::size_t size() const { return targets_.size(); }
  const Target& operator[](std::size_t i) const { return targets_[i]; }
  // All tasks with their weights, the first target's first; empty when it is the only one.
  const std::vector<TaskOptions>& tasks() const { return tasks_; }
  // The label of a cell of target i; NaN when it is empty.
  float label(std::size_t i, std::string_view cell) const;
  // Examples::further_labels of the rows, which are all of `out`.
  void add_labels(const LoadedTable& table, std::span<const std::uint32_t> rows,
                  Examples& out) const;
  // Of the rows of a table that has the columns, perhaps in another order: (rows, tasks), the first
  // target's first. kInvalid names a column it lacks.
  Result<std::vector<float>> labels_with(const Target& first, const LoadedTable& table,
                                         std::span<const std::uint32_t> rows) const;
  // kInvalid when a feature is made of one of them: what is to be predicted is no input.
  Status check(const Plan& plan) const;
  // Says of each in the lines of a plan that it is a target.
  void mark(std::vector<PlanLine>& lines) const;

 private:
  std::vector<Target> targets_;
  std::vector<TaskOptions> tasks_;
};

}  // namespace attune
