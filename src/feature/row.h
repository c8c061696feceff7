// The row of one (person, item, context) by a plan. One executor, for serving and replay: the row
// and its explanation come from the same code.
#pragma once
#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "catalog/catalog.h"
#include "event/decision.h"
#include "feature/counters.h"
#include "feature/live_step.h"
#include "feature/plan.h"
#include "model/examples.h"
#include "model/model.h"
#include "profile/profile.h"

namespace attune {

// Smoothed rate of `a` over the 30-day window: (engaged + 20 * prior) / (shown + 20).
double smoothed_rate(const Affinity& a, double prior, Time now);

// An id in a row begins with the field, 5 bits: which feature of the plan it is of, the 32nd for
// all after it. So who reads rows knows fields without being told.
inline constexpr std::size_t kLiveFields = 32;
inline constexpr std::uint16_t live_field(std::uint32_t id) {
  return static_cast<std::uint16_t>(id >> 27);
}
inline constexpr std::uint32_t live_id(std::size_t field, std::uint64_t hash) {
  return static_cast<std::uint32_t>(std::min(field, kLiveFields - 1) << 27 | (hash & 0x7ffffff));
}
// Of the features of a plan that say what their entries are values of, as kinds over fields are
// told.
std::vector<SequenceField> live_sequences(const Plan& plan);
// The fields of the features that have none yet, the last ones.
void add_live_fields(Examples& rows);

// Whether it is the activity feature: how far the person's answers lie above what was expected, in
// log-odds.
bool is_activity(std::uint32_t id);

// Built once per request from the merged profile, then asked for each candidate. What it is given
// must outlive it.
class RowBuilder {
 public:
  RowBuilder(const Plan& plan, const Profile& person, const Counters& counters,
             const RowMoment& moment);
  // Appends the item's features to `out`; `neighbour_score` from ItemItem, 0 = none.
  void build(const Item& item, float neighbour_score, std::vector<Feature>& out) const;
  // The same row with names; part = weight * value is left to the caller.
  std::vector<Part> explain(const Item& item, float neighbour_score) const;

 private:
  struct Trait {
    std::string name;  // "age=25-34"
    std::uint64_t hash;
  };
  struct Step {  // a feature of the plan, ready for this person
    FeatureKind kind;
    float scale;
    std::vector<Trait> traits;
    std::size_t declared = 0;  // place in live_
  };
  template <class Emit>
  void emit(const Item& item, float neighbour_score, const Emit& emit_feature) const;
  template <class Emit>
  void emit_step(const Step& step, const Item& item, float neighbour_score,
                 const Emit& emit_feature) const;
  template <class Emit>
  void emit_words(const Step& step, const Item& item, const Emit& emit_feature) const;
  double number(FeatureKind kind, const Item& item, float neighbour_score) const;
  double item_rate(const Item& item) const;
  double interest(const Item& item) const;
  double mean_of(std::uint32_t topic) const;
  std::vector<Trait> traits_of(const Profile& person, const std::vector<std::string>& wanted,
                               const Sensitive& sensitive) const;

  std::vector<Step> steps_;
  std::vector<Interest> interests_;  // as of now
  const Counters& counters_;
  Time now_;
  double base_rate_ = 0;
  std::string placement_;
  LiveSteps live_;
};

}  // namespace attune
