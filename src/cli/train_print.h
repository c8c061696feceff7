// What attune train prints for people.
#pragma once
#include <string>
#include <vector>

#include "learn/train_report.h"

namespace attune {

void print_lines(const std::vector<std::string>& lines);
// On standard output: the rows, what was made of columns, measures, candidates, rivals.
void print_report(const TrainReport& report);
// On standard error: rows left out, and warnings.
void print_doubts(const TrainReport& report);

}  // namespace attune
