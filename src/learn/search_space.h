// SearchSpace: which kinds of model are tried on a table and in which ranges their settings are
// looked for; declared here and nowhere else. Pure.
#pragma once
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/rng.h"

namespace attune {

struct SearchRange {
  std::string_view setting;
  double low, high;
  bool is_log;    // drawn evenly by its logarithm
  bool is_whole;  // a whole number
};

enum class SearchWhen {
  kAlways,
  kLater,  // slow: of one target, on many rows alone, when all others have been tried
  kNamed,  // where it is named
};

struct SearchKind {
  std::string_view kind;
  bool is_for_yes_no, is_for_numbers;
  std::span<const SearchRange> ranges;
  SearchWhen when = SearchWhen::kAlways;
};

std::span<const SearchKind> search_kinds();

// The n-th settings to try of a kind: the first are its own, the others drawn. Same seed, same
// ones.
std::vector<std::pair<std::string, double>> settings_to_try(const SearchKind& kind, std::size_t n,
                                                            std::uint64_t seed);

}  // namespace attune
