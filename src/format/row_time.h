// Times as files write them. Pure.
#pragma once
#include <optional>
#include <string_view>

#include "base/time.h"
#include "format/column_mapping.h"

namespace attune {

// nullopt when it is none of that format. kAuto: ISO-8601, a date, the two parted by a space, or a
// number: seconds, milliseconds or microseconds since 1970 by its size. Without a zone it is UTC.
std::optional<Time> parse_row_time(std::string_view text, TimeFormat format);

}  // namespace attune
