// The version of the program: said by --version, /openapi.json and the log.
#pragma once
#include <string_view>

namespace attune {

inline constexpr std::string_view kVersion = "0.1.0";

}  // namespace attune
