// What the challenger of a model and what ranks came to, for people to read.
#pragma once
#include <string>

#include "base/result.h"

namespace attune {

// comparison: JSON of Engine::compare_model. kUnavailable when it is none.
Status print_comparison(const std::string& comparison);

}  // namespace attune
