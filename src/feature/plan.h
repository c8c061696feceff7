// The plan: which features make the row of one (person, item, context). One executor, for serving
// and replay.
#pragma once
#include <string>
#include <string_view>
#include <vector>

#include "catalog/catalog.h"
#include "event/decision.h"
#include "feature/counters.h"
#include "model/ftrl.h"
#include "profile/profile.h"

namespace attune {

// Smoothed rate of `a` over the 30-day window: (engaged + 20 * prior) / (shown + 20).
double smoothed_rate(const Affinity& a, double prior, Time now);

// Built once per request from the merged profile, then asked for each candidate.
class RowBuilder {
 public:
  RowBuilder(const Profile& person, const Counters& counters, std::string_view placement, Time now);
  // Appends the item's features to `out`; `neighbour_score` from ItemItem, 0 = none.
  void build(const Item& item, float neighbour_score, std::vector<Feature>& out) const;
  // The same row with names; part = weight * value is left to the caller.
  std::vector<Part> explain(const Item& item, float neighbour_score) const;

 private:
  template <class Emit>
  void emit_crossed(const Item& item, const Emit& emit_feature) const;
  template <class Emit>
  void emit_numeric(const Item& item, float neighbour_score, const Emit& emit_feature) const;
  template <class Emit>
  void emit(const Item& item, float neighbour_score, const Emit& emit_feature) const;
  struct Cross {
    std::string name;
    std::uint64_t hash;
  };
  double mean_of(std::uint32_t topic) const;
  std::vector<Cross> traits_;
  std::vector<Interest> interests_;  // as of now
  const Counters& counters_;
  Time now_;
  double base_rate_ = 0;
  std::string placement_;
  std::uint64_t placement_hash_ = 0;
};

}  // namespace attune
