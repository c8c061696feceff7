// Decision: the answer to one request, with all that judging, explaining and learning from it
// needs.
#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "event/id.h"

namespace attune {

enum class Policy : std::uint8_t { kLearned = 0, kControl = 1, kRandom = 2, kFallback = 3 };
std::string_view policy_name(Policy policy);  // "learned", "control", "random", "fallback"

struct Part {        // one additive part of a score: weight * value
  std::string name;  // "category=sport", "affinity_7d"
  std::uint32_t hash = 0;
  float value = 0;
  float part = 0;
};

// A model's own bias, which belongs to no feature: a part of hash 0 and value 0.
inline constexpr const char* kModelBias = "model bias";

struct ShownItem {
  std::string item_id;
  std::string source;  // "popular", "latest", "item_item", "request", "pin"
  float score = 0;     // what ranked it: p_click, or popularity, times its boosts and freshness
  float p_click = 0;
  double propensity = 1;               // chance this policy put this item at this place, in (0, 1]
  std::int32_t rank_by_model = 0;      // before all else, from 0
  std::int32_t rank_by_boosts = 0;     // then
  std::int32_t rank_by_rules = 0;      // after caps and pins, too
  std::int32_t rank_by_diversity = 0;  // then, when the placement asks for any
  float freshness = 1;                 // within score: what its age left of it
  float diversity = 1;                 // beside score: what those above left of it at its place
  std::uint32_t instead = 0;  // 1 + index in `others`: who the rules would let in here; 0 = nobody
  float instead_score = 0;    // with dials: below which its own would have to fall for that
  bool is_explored = false;
  std::vector<std::string> rules;  // "boost category=sport x1.5", "seen 2 h ago" ...
  std::vector<Part> parts;         // sum = logit of p_click
};

struct OtherItem {
  std::string item_id;
  std::string source;
  float score = 0;
};

struct Decision {
  std::string id;  // d_ + 26 base32
  Time time{};
  std::string placement;
  Policy policy = Policy::kLearned;
  std::string reason;               // why this policy: "control share", "no history: popular"
  std::uint64_t model_version = 0;  // tick the weights were published at
  std::string model;              // of the registry, that scored: "ranker@3"; "" = the live learner
  std::string context;            // of the request, JSON object text, as rows were made; "" = none
  std::int32_t utc_offset_s = 0;  // of the workspace's time zone then, east positive
  double outcome_window_s = 1800;
  bool is_impression_served = true;
  std::vector<ShownItem> shown;
  std::vector<OtherItem> others;  // best not shown, at most 50, and who would come in instead
  bool has_dials = false;         // diversity or freshness were on
  bool is_recorded = true;        // not stored: false when the journal took no more
};

void encode_decision(const Decision& decision, std::string& out);
Result<Decision> decode_decision(std::string_view bytes);
std::string decision_json(const Decision& decision, bool with_explanation);

}  // namespace attune
