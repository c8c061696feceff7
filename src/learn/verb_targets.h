// Verbs as targets: what may happen to a shown item inside its decision's window, each a yes or no
// that a model learned from a workspace predicts. Pure.
#pragma once
#include <string>
#include <vector>

#include "base/result.h"
#include "event/event.h"
#include "learn/further_targets.h"
#include "model/model.h"

namespace attune {

// The verbs that can be one: view, click, ..., hide, report.
const std::vector<Verb>& target_verbs();

// The tasks of a model of these verbs, the first one first, with their weights. kInvalid: no such
// verb, one twice, a weight of none of them.
Result<std::vector<TaskOptions>> verb_tasks(const std::string& first,
                                            const FurtherTargetOptions& also);

// Back from the tasks of a model; kInvalid: of other columns.
Result<std::vector<Verb>> verbs_of(const std::vector<TaskOptions>& tasks);

}  // namespace attune
