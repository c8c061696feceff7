// Columns of a table that give a target away by themselves (column_scan.h), in words. Pure.
#pragma once
#include <string>
#include <vector>

#include "learn/further_targets.h"
#include "learn/labelled_table.h"
#include "learn/train_report.h"

namespace attune {

// The columns that the plan uses.
std::vector<std::size_t> used_columns(const LoadedTable& table, const std::vector<PlanLine>& plan);

// Of those the plan uses, for each target that is a yes or no; of further ones it is said of which.
std::vector<std::string> leak_warnings(const LabelledTable& labelled, const FurtherTargets& further,
                                       const std::vector<PlanLine>& plan);

}  // namespace attune
