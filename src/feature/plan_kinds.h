// The kinds of features as one table: their names, keys and inputs. Parsing, printing and the
// errors go by it.
#pragma once
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "feature/plan.h"

namespace attune {

struct FeatureKindRow {
  FeatureKind kind{};
  std::string_view name;
  std::string_view keys;     // beyond kind and scale, parted by spaces, each with one around it
  std::string_view sources;  // of inputs: " person item context column ", "" = it has no inputs
};
std::span<const FeatureKindRow> feature_kinds();
const FeatureKindRow& feature_kind(FeatureKind kind);

// Whether `list`, as above, holds the word.
bool holds_word(std::string_view list, std::string_view word);
std::vector<std::string> words_of(std::string_view list);
// ", did you mean X?", or "".
std::string did_you_mean(std::string_view word, const std::vector<std::string>& known);

// Are the values in range, the keys of this kind, the inputs such as the kind takes? "" or what is
// wrong, beginning with the key at fault.
struct PlanFault {
  std::string key, what;
};
PlanFault check_feature(const PlanFeature& feature, const Sensitive& sensitive);
// Which feature is a category of this input.
std::optional<std::size_t> place_of_category(const Plan& plan, std::string_view input);
// Whether both would give features of the same names.
bool is_same_feature(const PlanFeature& a, const PlanFeature& b);

}  // namespace attune
