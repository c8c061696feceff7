// The base: folds across people as of a cut, one file, replaced whole.
#pragma once
#include <string>
#include <string_view>

#include "engine/state.h"

namespace attune {

// Written beside, synced, then renamed over the old one.
Status store_base_file(const std::string& path, std::string_view bytes);
// Nothing to do when there is no base yet.
Status load_base_file(const std::string& path, State& state);

}  // namespace attune
