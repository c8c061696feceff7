// derive_live_plan: a plan for decisions from what a workspace holds, with the reason for each
// input in words. A beginning to be read and changed, not the last word. Pure.
#pragma once
#include <array>
#include <map>
#include <string>
#include <string_view>

#include "catalog/catalog.h"
#include "event/event.h"
#include "feature/derive_table.h"

namespace attune {

// What was said of persons and in requests. Bounded: so many names, so many values of each. One
// thread.
class LiveSample {
 public:
  static constexpr std::size_t kMostNames = 200;

  void add_event(Verb verb) { ++verbs_[static_cast<std::size_t>(verb)]; }
  void add_traits(std::string_view json) { add(json, traits_); }
  void add_context(std::string_view json) { add(json, context_); }

  using Named = std::map<std::string, TableSample, std::less<>>;
  const Named& traits() const { return traits_; }
  const Named& context() const { return context_; }
  std::uint64_t events(Verb verb) const { return verbs_[static_cast<std::size_t>(verb)]; }

  // Scalars alone; of lists and objects nothing.
  static void add(std::string_view json, Named& out);

 private:
  Named traits_, context_;
  std::array<std::uint64_t, kVerbCount> verbs_{};
};

// allow: sensitive names to let in.
DerivedPlan derive_live_plan(const LiveSample& sample, const Catalog& catalog,
                             const std::vector<std::string>& allow);

}  // namespace attune
