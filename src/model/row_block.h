// A block of the row cache: columns of Examples, with what repeats left out. Pure.
#pragma once
#include <string>
#include <string_view>

#include "model/examples.h"

namespace attune {

// Appended to out, its checksum included.
void encode_block(const Examples& rows, std::string& out);
// False when the bytes are not a block of so many rows and features.
bool decode_block(std::string_view bytes, std::size_t rows, std::size_t features, Examples& out);

}  // namespace attune
