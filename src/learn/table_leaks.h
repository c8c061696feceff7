// Columns of a table that give a target away by themselves (column_scan.h), in words. Pure.
#pragma once
#include <string>
#include <vector>

#include "learn/further_targets.h"
#include "learn/labelled_table.h"
#include "learn/train_report.h"

namespace attune {

// Of those the plan uses, for each target that is a yes or no; of further ones it is said of which.
std::vector<std::string> leak_warnings(const LabelledTable& labelled, const FurtherTargets& further,
                                       const std::vector<PlanLine>& plan);

}  // namespace attune
