// A cell of a table as a field of an item of the items API. No state: safe to share.
#pragma once
#include <string_view>

#include "base/json.h"
#include "base/result.h"
#include "format/table.h"

namespace attune {

// Writes name and value: tags are parted by |, price is a number, is_hidden true or false, vector a
// list of numbers; all else is text. JSONL may hold tags as a list. kInvalid names the field.
Status write_item_cell(std::string_view name, std::string_view cell, TableFormat format,
                       JsonWriter& json);

}  // namespace attune
