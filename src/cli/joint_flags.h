// JointFlags: what `attune train` predicts beside the target, with one model, as the command line
// says.
#pragma once
#include <string>
#include <utility>
#include <vector>

#include "base/result.h"
#include "learn/further_targets.h"
#include "model/model.h"

namespace attune {

class Command;

struct JointFlags {
  std::vector<std::string> also, weights;  // columns; NAME=NUMBER
  std::string second_loss;                 // NAME=NUMBER
  bool compare_alone = false;
  bool is_given() const {
    return !also.empty() || !weights.empty() || !second_loss.empty() || compare_alone;
  }
};
void add_joint_flags(Command& command, JointFlags& flags);

// "NAME=NUMBER", the last = counts: names of columns may have it. kInvalid names the option.
Result<std::pair<std::string, double>> named_number(const std::string& text, const char* option,
                                                    const char* example);

Result<FurtherTargetOptions> also_of(const JointFlags& flags);
Result<SecondLossOptions> second_loss_of(const JointFlags& flags);

}  // namespace attune
