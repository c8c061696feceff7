// The vector of an item: what a model outside says of it, as a list of numbers.
#pragma once
#include <cstddef>
#include <string_view>
#include <vector>

namespace attune {

inline constexpr std::size_t kMostVector = 4096;

// Of the attribute "vector" of an item's JSON text, at its top or within "attributes". Empty when
// there is none, or not 1 to kMostVector finite numbers.
std::vector<float> vector_of(std::string_view item_json);
// Whether there is such an attribute, whatever it holds.
bool has_vector(std::string_view item_json);

}  // namespace attune
