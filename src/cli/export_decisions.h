// Decisions as the Open Bandit Dataset writes them.
#pragma once
#include <string>

#include "base/result.h"

namespace attune {

// A row per shown item: timestamp,item_id,position,click,propensity_score,policy,decision_id.
// Propensities are the shortest text that reads back as the same bits. output: a new file, or ""
// and "-" for standard output. The number of rows.
Result<std::uint64_t> export_obd(const std::string& workspace, const std::string& output);

}  // namespace attune
