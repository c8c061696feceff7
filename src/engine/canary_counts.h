// CanaryCounts: what came of the slates a canary ranked and of those what is promoted ranked, by
// persons, in constant memory: persons fall into kClusters groups each side, and what waits for an
// engagement is forgotten when more does. Says when a canary clearly harms. Pure; one thread.
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "catalog/catalog.h"
#include "event/decision.h"
#include "stat/clustered_rate.h"

namespace attune {

enum class Arm : std::uint8_t { kTried, kOthers };

// Who ranked a decision, of those that tell a canary from what is promoted: made since it began by
// one of the two, where the placement asks for the model. nullopt: it tells nothing.
std::optional<Arm> arm_of(const Decision& made, const Catalog& catalog, std::string_view name,
                          const Challenger& challenger);

class CanaryCounts {
 public:
  void show(const Decision& made, std::uint64_t person, Arm arm);
  // Counts once, of an item a decision shown here had.
  void engage(std::string_view decision, std::string_view item);
  ClusteredRate rate(Arm arm) const;
  // Why the canary should end, in words: it is engaged with less than what is promoted, beyond what
  // chance does however often this is asked. nullopt: that is not known.
  std::optional<std::string> harm() const;
  // Why it should be promoted: it is engaged with more.
  std::optional<std::string> gain() const;

  static constexpr std::uint32_t kClusters = 1024;
  static constexpr std::size_t kMostWaiting = 1'000'000;  // shown items

 private:
  struct Count {
    double engaged = 0, shown = 0;
  };
  std::string compared(std::string_view verdict, const Interval& difference) const;
  using Waiting = std::unordered_map<std::uint64_t, std::uint32_t>;  // where it counts

  std::vector<Count> counts_ = std::vector<Count>(2 * kClusters);  // of kTried, then of kOthers
  Waiting waiting_, older_;
};

}  // namespace attune
