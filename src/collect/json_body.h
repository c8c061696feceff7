// Request bodies as JSON: bounded depth, and an error that says where the text goes wrong.
#pragma once
#include <simdjson.h>

#include <string_view>

#include "base/result.h"

namespace attune {

inline constexpr std::size_t kMaxDepth = 32;

// The element lives until the parser's next use.
Result<simdjson::dom::element> parse_json_body(simdjson::dom::parser& parser, std::string_view body,
                                               std::size_t max_depth = kMaxDepth);

}  // namespace attune
