// Plans as files.
#pragma once
#include <string>

#include "feature/plan.h"

namespace attune {

// kNotFound without the file; else as Plan::parse.
Result<Plan> read_plan(const std::string& path);

}  // namespace attune
