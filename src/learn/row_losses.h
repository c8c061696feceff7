// What a model loses on each of many rows, so that two models can be compared row by row. Pure.
#pragma once
#include <optional>
#include <span>
#include <vector>

#include "base/result.h"
#include "learn/block_source.h"
#include "model/model.h"
#include "stat/metrics.h"

namespace attune {

// Of each row, times its weight: log loss of a probability, else the squared error. Of several
// tasks the sum as weighed, shared out so that the mean over the rows is the sum of the means of
// the tasks; a label that is not known counts in none.
Result<std::vector<float>> row_losses(const Model& model, BlockSource& rows);

double mean_of(std::span<const float> losses);  // 0 of none
// 95 %, of their mean, normal; nothing of fewer than 2.
std::optional<Interval> interval_of(std::span<const float> losses);

}  // namespace attune
