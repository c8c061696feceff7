// What storing a row makes of an item that may be known already. Pure.
#pragma once
#include <string>
#include <string_view>

#include "cli/item_rows.h"

namespace attune {

// known: the stored item's JSON, "" = none. A row of a vector file sets the vector and leaves all
// else; any other row is the item as a whole, but keeps the stored vector where it has none.
// Minified, as the catalog stores it.
std::string merged_item(const ItemRow& row, std::string_view known);

}  // namespace attune
