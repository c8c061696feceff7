// What a search for kind and settings depends on, so that a file of trials (trial_log.h) goes on
// with that search alone. Pure.
#pragma once
#include "feature/plan.h"
#include "learn/labelled_table.h"
#include "learn/table_training.h"
#include "learn/trial_log.h"

namespace attune {

// options.search is there. O(bytes of the table).
SearchSubject search_subject(const TableTrainingOptions& options, const LabelledTable& labelled,
                             const Plan& plan);

}  // namespace attune
