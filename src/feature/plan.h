// Plan: which features make a row, as data: TOML, stored as a control record, so that a replay
// makes the same rows (docs/reference/plan.md). One grammar for decisions (inputs person, item,
// context) and for tables (inputs column). Immutable once made; safe to share.
#pragma once
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "feature/sensitive.h"

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
  // Of declared inputs, see PlanFeature::of:
  kCategory,  // 1, a weight per value
  kNumber,    // the number
  kBins,      // 1, a weight per bin
  kBag,       // 1 / sqrt(n) for each of n tokens of a list, a weight per token
  kSequence,  // decay^place for the last tokens of a list, newest place 0; a weight per token; with
              // `as`, kinds over fields know them for values of another input
  kCross,     // 1, a weight per combination of values
  kVector,    // a column: its numbers, a weight per place; an item's: similarity to the last ones
  kTime,      // 1, a weight per hour or weekday
  kCount,     // log1p of a decayed count
  kRate,      // log-odds of a smoothed rate, less the mean's
};
std::string_view kind_name(FeatureKind kind);  // "trait_topic"

// Keys a kind does not have keep their defaults.
struct PlanFeature {
  FeatureKind kind{};
  // Multiplies the value. As all weights are drawn to 0 alike, a small scale keeps a kind with
  // many weights from fitting noise.
  float scale = 1;
  std::vector<std::string> traits = {};  // of the trait kinds; empty = the first kMostTraits
  std::vector<std::string> of = {};      // inputs, "column.job"; two to four of a cross, else one
  std::string separator = {};            // of a list; "" = any of space tab , ; |
  std::string part = {};                 // time: "hour", "weekday"
  std::string verb = {};                 // count: what is counted
  std::string window = {};               // count, rate: "1h", "24h", "7d", "30d"
  std::string by = {};  // sequence of a person: "item", "category"; vector: "cosine", "dot"
  // sequence: the input its tokens are values of, which a category of the plan is of; "" = of none.
  std::string as = {};
  bool is_log = false;             // number: sign(x) log1p |x| of it
  bool is_standardised = true;     // number of a column: less the mean, by the deviation
  bool has_missing = true;         // number, bins of a column: a weight for "no number"
  int bins = 10;                   // of a column, about equally full
  int min_count = 1;               // category, bag of a column: rarer values share a weight
  int last = 10;                   // sequence, vector: so many of the newest
  double decay = 0.8;              // sequence: from one place to the next
  double center = 0;               // number of a decision: subtracted
  std::vector<double> edges = {};  // bins of a decision: between the bins, ascending
  bool operator==(const PlanFeature&) const = default;
};

inline constexpr std::size_t kMostTraits = 8;         // of one person, in order of name
inline constexpr std::size_t kMostFeatures = 4096;    // of a plan
inline constexpr std::size_t kMostLiveFeatures = 64;  // of a plan for decisions
inline constexpr std::size_t kMostItemInputs = 64;    // different inputs of items in one plan
inline constexpr std::size_t kMostCrossInputs = 4;    // of a cross
inline constexpr std::size_t kMostBins = 256;
inline constexpr int kMostLast = 64;
inline constexpr std::size_t kPlanBytes = 1u << 20;  // of its text

struct Plan {
  std::vector<PlanFeature> features;
  Sensitive sensitive;
  // Of a table; "" = none.
  std::string target;    // the column to predict
  std::string positive;  // its text that means 1, all else 0; "" = it holds numbers
  std::string weight;    // the column of each row's importance

  // A plan as it was stored: it means what it says. source: for errors, "plan.toml". kInvalid names
  // line, feature and what is known.
  static Result<Plan> parse(std::string_view toml, const std::string& source);
  // A plan as a user wrote it: the usual sensitive names are added to its own.
  static Result<Plan> declare(std::string_view toml, const std::string& source);
  std::string toml() const;  // canonical
  // Of decisions, or of a table? A plan without a declared input can be used for decisions.
  bool is_for_table() const;
  bool operator==(const Plan&) const = default;
};

// The control record that makes it the plan of a workspace.
std::string put_plan_json(const Plan& plan);

// What a workspace of before plans were stored goes by: every kind that ranks, whatever the catalog
// and the traits hold; a feature without a value is left out of the row.
const Plan& default_plan();
// What a new workspace goes by: the same without sensitive traits.
const Plan& new_plan();

// "item.brand" -> {"item", "brand"}.
struct InputName {
  std::string_view source, name;
};
InputName input_name(std::string_view input);

}  // namespace attune
