// Plan: which features make a row, as data: TOML, stored as a control record, so that a replay
// makes the same rows (docs/reference/plan.md). Immutable once made; safe to share.
#pragma once
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace attune {

enum class FeatureKind : std::uint8_t {
  kBias,        // 1
  kPlacement,   // 1, a weight per placement
  kItem,        // 1, a weight per item
  kTopic,       // how much the item is about a word; a weight per word
  kTrait,       // 1, a weight per value of a trait
  kTraitTopic,  // the topic's value, a weight per trait value and word
  kItemRate,    // log-odds of the item's smoothed click rate, less the mean's
  kInterest,    // what the person's answers say of the item's topics
  kActivity,    // what they say of anything
  kNeighbour,   // log1p of the item-item score
  kItemAge,     // log1p of its age in days
  kPrice,       // log1p
};
std::string_view kind_name(FeatureKind kind);  // "trait_topic"

struct PlanFeature {
  FeatureKind kind{};
  // Multiplies the value. As all weights are drawn to 0 alike, a small scale keeps a kind with
  // many weights from fitting noise.
  float scale = 1;
  std::vector<std::string> traits;  // of the trait kinds; empty = the first kMostTraits
};

inline constexpr std::size_t kMostTraits = 8;      // of one person, in order of name
inline constexpr std::size_t kMostFeatures = 64;   // of a plan
inline constexpr std::size_t kPlanBytes = 65'536;  // of its text

struct Plan {
  std::vector<PlanFeature> features;
  // source: for errors, "plan.toml". kInvalid names line, feature and what is known.
  static Result<Plan> parse(std::string_view toml, const std::string& source);
  std::string toml() const;  // canonical
};

// What is used until a plan is declared: every kind that ranks, whatever the catalog and the traits
// hold; a feature without a value is left out of the row.
const Plan& default_plan();

}  // namespace attune
