// What attune train prints for people.
#pragma once
#include "learn/train_report.h"

namespace attune {

// On standard output: the rows, what was made of columns, measures, candidates, rivals.
void print_report(const TrainReport& report);
// On standard error: rows left out, and warnings.
void print_doubts(const TrainReport& report);

}  // namespace attune
