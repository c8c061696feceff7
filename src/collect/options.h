// The settings of [collect].
#pragma once
#include "base/config.h"
#include "collect/segment.h"

namespace attune {

struct CollectSettings {
  CollectOptions limits;
  ConfigTable verbs;  // own event names to verbs
};
// Both must outlive the config.
void bind(CollectSettings& settings, Config& config);

// The usual vocabulary with the own names over it.
EventMapping make_mapping(const ConfigTable& verbs);

}  // namespace attune
