// Who made an item: its brand or its author.
#pragma once
#include <cstdint>
#include <string_view>

namespace attune {

// Hash of the attribute "brand", else "author", a text at the top of an item's JSON text or within
// "attributes"; 0 when there is none.
std::uint64_t maker_of(std::string_view item_json);

}  // namespace attune
