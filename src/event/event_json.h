// An event as people and exports read it.
#pragma once
#include <string>

#include "event/event.h"

namespace attune {

// {"type","event","message_id","timestamp","properties", and "traits", "context" when there are}.
std::string event_json(const Event& event);

}  // namespace attune
