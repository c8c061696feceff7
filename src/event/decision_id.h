// Decision ids: "d_" and a ULID, 48 bits of milliseconds and 80 random ones in Crockford's base32.
#pragma once
#include <optional>
#include <string_view>

#include "base/time.h"

namespace attune {

// The time in the id, to the millisecond; nullopt when it is none.
std::optional<Time> decision_time(std::string_view id);

}  // namespace attune
