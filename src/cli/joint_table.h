// What a model of several tasks came to, as lines of a terminal. Pure.
#pragma once
#include <string>
#include <vector>

#include "learn/joint_report.h"

namespace attune {

// Targets side by side: base rate, AUC and log loss; where known, beside a model of each alone.
std::vector<std::string> head_table(const JointReport& report);

// The joint loss and its parts with their stated weights.
std::vector<std::string> joint_loss_table(const JointReport& report);

}  // namespace attune
