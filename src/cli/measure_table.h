// Measures and parts as lines of a terminal: the figure, its interval, and what needs no model.
// Pure.
#pragma once
#include <span>
#include <string>
#include <vector>

#include "learn/evaluation.h"
#include "learn/explanation.h"
#include "learn/train_report.h"
#include "stat/measure.h"

namespace attune {

// A head and a line a measure; one that is undefined says why.
std::vector<std::string> measure_table(std::span<const Measure> measures);

// The columns of the plan: name, use, reason.
std::vector<std::string> plan_table(std::span<const PlanLine> plan);

// Kinds side by side, the best first.
std::vector<std::string> kind_table(const TrainReport& report);

// Those that were tried when the model was chosen, the first `most`.
std::vector<std::string> candidate_table(const TrainReport& report, std::size_t most);

// The new model beside the live learner and others, on rows it shares with each.
std::vector<std::string> rival_table(const TrainReport& report);

// The first `most` slices of a column, a line each.
std::vector<std::string> slice_table(const std::string& column, std::span<const SliceScores> slices,
                                     bool is_binary, std::size_t most);

// The first `most` parts, then what the others add up to.
std::vector<std::string> part_table(std::span<const RowPart> parts, std::size_t most);

}  // namespace attune
