// Model versions as files: models/<tick>.model, written whole or not at all, the newest kept.
#pragma once
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace attune {

inline constexpr std::size_t kModelsKept = 10;

// version: the tick the weights were published at. bytes: sealed by model/sealed.h.
Status store_model(const std::string& folder, std::uint64_t version, std::string_view bytes);
// Versions there are, oldest first.
std::vector<std::uint64_t> model_versions(const std::string& folder);

}  // namespace attune
