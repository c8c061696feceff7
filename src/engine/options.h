// The settings of [workspace] and [consent].
#pragma once
#include <string>
#include <vector>

#include "base/config.h"
#include "engine/engine.h"

namespace attune {

struct EngineSettings {
  EngineOptions options;
  std::vector<std::string> granted;  // purposes of persons who said nothing
  std::string plan_file;             // "" = the workspace keeps its plan
  std::string time_zone = "as_before";
  EngineSettings();  // all purposes
};
// Must outlive the config.
void bind(EngineSettings& settings, Config& config);

// What Engine::open takes. kInvalid: settings each in its range that do not go together.
Result<EngineOptions> engine_options(const EngineSettings& settings);

// As an open record says it; settings: JSON.
std::string settings_hash(std::string_view settings);

}  // namespace attune
