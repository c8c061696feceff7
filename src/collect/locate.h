// Where JSON text goes wrong: simdjson's DOM says only that it does. For error messages.
#pragma once
#include <cstddef>
#include <string_view>

namespace attune {

// Offset of the first byte that cannot be part of JSON text; text.size() when it ends too early
// or nothing is wrong.
std::size_t locate_json_error(std::string_view text, std::size_t max_depth);

}  // namespace attune
