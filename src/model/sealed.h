// The envelope of everything a model saves: magic, version, body, hash64 of all before it.
#pragma once
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "event/id.h"

namespace attune {

// magic: 4 bytes.
void seal(std::string_view magic, std::uint32_t version, std::string_view body, std::string& out);
// The body, or why not: other magic, newer version, damage.
Result<std::string_view> unseal(std::string_view magic, std::uint32_t version,
                                std::string_view bytes);

// What a fold holds of one identity is stored through these; the key it is sealed under may be
// gone: then nothing comes back.
using SealRow = std::function<std::string(Surrogate, std::string_view)>;
using OpenRow = std::function<std::optional<std::string>(Surrogate, std::string_view)>;

}  // namespace attune
