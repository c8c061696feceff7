// Settings of a kind of model by name: checked once, when a model is made. Pure; safe to share.
#pragma once
#include <span>
#include <string>
#include <vector>

#include "base/result.h"
#include "model/model.h"

namespace attune {

// One value for each row of the table, in its order. kInvalid with the nearest name for a setting
// the kind does not have, one given twice, or a value out of range or not
// whole that must be.
Result<std::vector<double>> settle(const ModelKind& kind, const ModelOptions& options);
// options with every setting of the kind named, in the order of its table.
ModelOptions completed(const ModelOptions& options, const ModelKind& kind,
                       std::span<const double> values);

}  // namespace attune
