// Where a trained model is written to. Reads only.
#pragma once
#include <string>

#include "base/result.h"

namespace attune {

// What writing a model to `path` would replace: "" = nothing, else the id of the model there, or
// "a model that cannot be read". kConflict when something else than a model is there.
Result<std::string> replaced_model(const std::string& path);

}  // namespace attune
