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

struct SearchKind {
  std::string_view kind;
  bool is_for_yes_no, is_for_numbers;
  // What a row costs in one pass, in rows of ftrl: measured on uci-bank-marketing (kinds of
  // sequences: on an item beside the 20 before it), about.
  double cost;
  double passes;  // expected
  std::span<const SearchRange> ranges;
  // Slow: tried where it is named or there are several targets, else on many rows alone, when the
  // budget allows to learn from all of them still.
  bool is_extra = false;
};

// The cheapest first.
std::span<const SearchKind> search_kinds();

// The n-th settings to try of a kind: the first are its own, the others drawn. Same seed, same
// ones.
std::vector<std::pair<std::string, double>> settings_to_try(const SearchKind& kind, std::size_t n,
                                                            std::uint64_t seed);

}  // namespace attune
