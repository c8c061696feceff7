// An explained decision (GET /api/v1/decisions/{id}) as lines of a table for a terminal. Pure.
#pragma once
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/result.h"
#include "cli/words.h"

namespace attune {

// subject: whom it was made for, if that is to be said. categories: of items, by id; may lack some.
Result<std::vector<std::string>> decision_table(
    std::string_view decision_json, std::string_view subject,
    const std::unordered_map<std::string, std::string>& categories, const Words& words);

}  // namespace attune
