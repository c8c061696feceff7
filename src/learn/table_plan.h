// The plan of a table that is to be learned from: declared, classic or derived, with its reasons.
// Pure.
#pragma once
#include <string>
#include <vector>

#include "base/result.h"
#include "feature/plan.h"
#include "learn/loaded_table.h"
#include "learn/target.h"
#include "learn/train_report.h"

namespace attune {

struct ChosenPlan {
  Plan plan;
  std::vector<PlanLine> lines;  // one a column, in words
};

// The first 10 columns as they are, the last the label (P10). kInvalid with fewer than 11 columns.
inline constexpr std::size_t kClassicInputs = 10;
Result<ChosenPlan> classic_plan(const LoadedTable& table, const Target& target);

// drop: columns left out; allow: sensitive names let in.
Result<ChosenPlan> derived_plan(const LoadedTable& table, const Target& target,
                                const std::vector<std::string>& drop,
                                const std::vector<std::string>& allow);

// A declared plan; its target, if it names one, must be this one.
Result<ChosenPlan> declared_plan(const Plan& plan, const LoadedTable& table, const Target& target);

// Rows count in learning as this column says; measures count every row once.
Status weigh_rows(const std::string& column, const LoadedTable& table, const Target& target,
                  ChosenPlan& chosen);

}  // namespace attune
