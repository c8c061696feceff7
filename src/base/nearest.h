// The known word a mistyped one most likely meant. Pure; safe to share.
#pragma once
#include <string>
#include <string_view>
#include <vector>

namespace attune {

// Least number of letters to insert, drop or replace (Levenshtein 1966).
std::size_t edit_distance(std::string_view a, std::string_view b);

// "" when nothing is near enough to be meant: more than a third of the letters differ.
std::string nearest(std::string_view word, const std::vector<std::string>& known);

}  // namespace attune
