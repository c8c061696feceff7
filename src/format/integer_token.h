// How integers of power-law size become tokens: exact within (-8, 8), beyond that by steps of
// floor(4 ln(|x| / 8)), about 28 % wide. No state: safe to share.
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace attune {

// Tokens are numbered in [0, kIntegerTokens): 0 = missing.
inline constexpr std::size_t kIntegerTokens = 352;
std::size_t integer_token(std::int64_t x);
// The text that is hashed: "" = missing, "-3" ... "7", then "~0", "~1", ..., "-~0", ...
std::string integer_token_text(std::size_t token);
// For people: "", "7", "160..205", "-9..-8".
std::string integer_token_name(std::size_t token);

}  // namespace attune
