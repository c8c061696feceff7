#include "engine/canary_counts.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/hash.h"

namespace attune {
namespace {

std::uint64_t key_of(std::string_view decision, std::string_view item) {
  return mix64(hash64(decision), hash64(item));
}

// The model that scored: "ranker@3" of "ranker@3+120".
std::string_view version_of(std::string_view model) { return model.substr(0, model.find('+')); }

std::string told(const ClusteredRate& rate) {
  return fmt::format("{:.2f} % of {:.0f} shown items", 100 * rate.rate().value_or(0),
                     rate.trials());
}

}  // namespace

std::optional<Arm> arm_of(const Decision& made, const Catalog& catalog, std::string_view name,
                          const Challenger& challenger) {
  if (made.time < challenger.since || made.policy != Policy::kLearned) return std::nullopt;
  if (catalog.placement(made.placement).model != name) return std::nullopt;
  const bool is_tried = version_of(made.model) == fmt::format("{}@{}", name, challenger.version);
  return is_tried ? Arm::kTried : Arm::kOthers;
}

void CanaryCounts::show(const Decision& made, std::uint64_t person, Arm arm) {
  const auto cluster = static_cast<std::uint32_t>(mix64(person, 0) % kClusters);
  const std::uint32_t place = cluster + (arm == Arm::kOthers ? kClusters : 0);
  counts_[place].shown += static_cast<double>(made.shown.size());
  for (const ShownItem& shown : made.shown) waiting_[key_of(made.id, shown.item_id)] = place;
  if (waiting_.size() < kMostWaiting / 2) return;
  older_ = std::move(waiting_);
  waiting_.clear();
}

void CanaryCounts::engage(std::string_view decision, std::string_view item) {
  const std::uint64_t key = key_of(decision, item);
  for (Waiting* const where : {&waiting_, &older_}) {
    const auto found = where->find(key);
    if (found == where->end()) continue;
    ++counts_[found->second].engaged;
    where->erase(found);
    return;
  }
}

ClusteredRate CanaryCounts::rate(Arm arm) const {
  ClusteredRate out;
  const std::size_t first = arm == Arm::kOthers ? kClusters : 0;
  for (std::size_t i = first; i < first + kClusters; ++i) {
    out.add(counts_[i].engaged, counts_[i].shown);
  }
  return out;
}

// verdict: "worse".
std::string CanaryCounts::compared(std::string_view verdict, const Interval& difference) const {
  return fmt::format(
      "clearly {} than what is promoted: {} were engaged with, against {}; the difference is "
      "between {:+.2f} and {:+.2f} points (95 %, however often it is looked at)",
      verdict, told(rate(Arm::kTried)), told(rate(Arm::kOthers)), 100 * difference.low,
      100 * difference.high);
}

std::optional<std::string> CanaryCounts::harm() const {
  const auto difference = always_valid_difference(rate(Arm::kTried), rate(Arm::kOthers));
  if (!difference || !(difference->high < 0)) return std::nullopt;
  return compared("worse", *difference);
}

std::optional<std::string> CanaryCounts::gain() const {
  const auto difference = always_valid_difference(rate(Arm::kTried), rate(Arm::kOthers));
  if (!difference || !(difference->low > 0)) return std::nullopt;
  return compared("better", *difference);
}

}  // namespace attune
