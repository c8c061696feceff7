// The envelope of everything a model saves: magic, version, body, hash64 of all before it.
#pragma once
#include <string>
#include <string_view>

#include "base/result.h"

namespace attune {

// magic: 4 bytes.
void seal(std::string_view magic, std::uint32_t version, std::string_view body, std::string& out);
// The body, or why not: other magic, newer version, damage.
Result<std::string_view> unseal(std::string_view magic, std::uint32_t version,
                                std::string_view bytes);

}  // namespace attune
