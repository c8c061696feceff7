#include "decide/rules.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <optional>

namespace attune {
namespace {

constexpr double kMostHalvings = 40;  // beyond it an item is as old as any

bool fits(const Rule& rule, const Item& item) {
  if (!rule.item_id.empty()) return rule.item_id == item.id;
  return !rule.category.empty() && rule.category == item.category;
}

// How many more of each category may be placed. Items without a category are never capped.
class Caps {
 public:
  explicit Caps(std::span<const Rule> rules) {
    for (const Rule& rule : rules) {
      if (rule.kind == Rule::Kind::kMaxPerCategory) rules_.push_back(&rule);
    }
  }
  bool any() const { return !rules_.empty(); }
  // True when the category is full from now on.
  bool count(std::string_view category) {
    if (rules_.empty() || category.empty()) return false;
    const auto at = std::find_if(counts_.begin(), counts_.end(),
                                 [&](const auto& c) { return c.first == category; });
    if (at == counts_.end()) {
      counts_.emplace_back(category, 1);
    } else {
      ++at->second;
    }
    return is_full(category);
  }
  bool is_full(std::string_view category) const { return room_of(category) <= 0; }
  bool is_over(std::string_view category) const { return room_of(category) < 0; }  // by pins

 private:
  // How many more may be placed.
  int room_of(std::string_view category) const {
    int limit = std::numeric_limits<int>::max();
    if (rules_.empty() || category.empty()) return limit;
    for (const Rule* rule : rules_) {
      if (rule->category.empty() || rule->category == category)
        limit = std::min(limit, rule->limit);
    }
    const auto at = std::find_if(counts_.begin(), counts_.end(),
                                 [&](const auto& c) { return c.first == category; });
    return at == counts_.end() ? limit : limit - at->second;
  }

  std::vector<const Rule*> rules_;
  std::vector<std::pair<std::string_view, int>> counts_;
};

// Those of the pinned, the next one last.
std::vector<std::size_t> pins_of(std::span<const Candidate> candidates) {
  std::vector<std::size_t> pins;
  for (std::size_t i = 0; i < candidates.size(); ++i) {
    if (candidates[i].pin >= 0) pins.push_back(i);
  }
  std::sort(pins.begin(), pins.end(),
            [&](std::size_t a, std::size_t b) { return candidates[a].pin > candidates[b].pin; });
  return pins;
}

std::string ago(Duration past) {
  const double s = std::max(0.0, static_cast<double>(past.count()) / 1e6);
  if (s < 90) return fmt::format("{:.0f} s", s);
  if (s < 90 * 60) return fmt::format("{:.0f} min", s / 60);
  if (s < 48 * 3600) return fmt::format("{:.0f} h", s / 3600);
  return fmt::format("{:.0f} d", s / 86400);
}

}  // namespace

bool is_hidden_by_rule(const Item& item, std::span<const Rule> rules) {
  return std::any_of(rules.begin(), rules.end(), [&](const Rule& rule) {
    return rule.kind == Rule::Kind::kHide && fits(rule, item);
  });
}

double boost_of(const Item& item, std::span<const Rule> rules) {
  double factor = 1;
  for (const Rule& rule : rules) {
    if (rule.kind == Rule::Kind::kBoost && fits(rule, item)) factor *= rule.factor;
  }
  return factor;
}

double freshness_factor(const Item& item, const Placement& placement, Time now) {
  if (!(placement.freshness > 0)) return 1;
  const double age_s = std::max(0.0, static_cast<double>((now - item.created).count()) / 1e6);
  const double halvings = std::min(age_s / placement.freshness_half_life_s, kMostHalvings);
  const double share = std::min(placement.freshness, 1.0);
  return (1 - share) + share * std::exp2(-halvings);
}

std::vector<Placed> fill_slate(std::span<const Candidate> candidates,
                               std::vector<std::size_t> order, const Filling& filling) {
  const Placement& placement = filling.placement;
  const double epsilon = filling.rng == nullptr ? 0 : std::clamp(placement.epsilon, 0.0, 1.0);
  Caps caps(placement.rules);
  std::optional<Variety> variety;
  if (filling.likeness != nullptr) variety.emplace(*filling.likeness, placement.diversity);
  std::vector<std::size_t> pins = pins_of(candidates);
  for (const std::size_t pin : pins) caps.count(candidates[pin].item->category);
  if (caps.any()) {
    std::erase_if(order, [&](std::size_t i) { return caps.is_full(candidates[i].item->category); });
  }
  std::vector<Placed> slate;
  slate.reserve(static_cast<std::size_t>(filling.n));
  const auto place = [&](const Placed& placed) {
    slate.push_back(placed);
    if (!variety) return;
    slate.back().diversity = variety->factor(placed.candidate);
    variety->place(placed.candidate);
  };
  for (int at = 0; at < filling.n; ++at) {
    if (!pins.empty() && (order.empty() || candidates[pins.back()].pin == at)) {
      place({pins.back(), 1, false});  // with nothing left to fill, pins move up
      pins.pop_back();
      continue;
    }
    if (order.empty()) break;
    const bool is_explored = epsilon > 0 && filling.rng->chance(epsilon);
    const std::size_t best = variety ? variety->best(order) : 0;
    const std::size_t taken = is_explored ? filling.rng->below(order.size()) : best;
    const double by_chance = epsilon / static_cast<double>(order.size());
    const double propensity = std::min(1.0, taken == best ? by_chance + (1 - epsilon) : by_chance);
    const std::size_t chosen = order[taken];
    place({chosen, order.size() == 1 ? 1.0 : propensity, is_explored});
    order.erase(order.begin() + static_cast<std::ptrdiff_t>(taken));
    const std::string& category = candidates[chosen].item->category;
    if (caps.count(category)) {
      std::erase_if(order, [&](std::size_t i) { return candidates[i].item->category == category; });
    }
  }
  return slate;
}

std::vector<Instead> instead_of(std::span<const Candidate> candidates,
                                std::span<const Placed> slate, std::span<const std::size_t> others,
                                const Placement& placement, const Variety* variety) {
  Caps caps(placement.rules);
  const auto category_of = [&](std::size_t i) -> const std::string& {
    return candidates[i].item->category;
  };
  for (const Placed& placed : slate) caps.count(category_of(placed.candidate));
  std::vector<Instead> out;
  out.reserve(slate.size());
  for (const auto& [own, propensity, is_explored, diversity] : slate) {
    const std::string& left = category_of(own);
    Instead& found = out.emplace_back();
    double most = 0;
    for (std::size_t k = 0; k < others.size(); ++k) {
      const std::size_t i = others[k];
      if (found.other != 0 && (!variety || variety->log_score(i) <= most)) break;
      // Full of others, or only by the one that is not there.
      if (caps.is_full(category_of(i)) && (category_of(i) != left || caps.is_over(left))) continue;
      const double worth = variety ? variety->log_worth(i, own) : 0;
      if (found.other != 0 && worth <= most) continue;
      most = worth;
      found = {k + 1, candidates[i].score};
    }
    if (found.other == 0 || !variety) continue;
    const double own_left = variety->log_worth(own, own) - std::log(candidates[own].score);
    const double score = candidates[own].score;
    found.score = std::isfinite(own_left) ? std::min(std::exp(most - own_left), score) : score;
  }
  return out;
}

std::vector<std::string> rule_sentences(const Candidate& candidate, const Placement& placement,
                                        Time now) {
  std::vector<std::string> out;
  for (const Rule& rule : placement.rules) {
    if (rule.kind == Rule::Kind::kBoost && fits(rule, *candidate.item)) {
      out.push_back(rule.item_id.empty()
                        ? fmt::format("boost category={} x{:g}", rule.category, rule.factor)
                        : fmt::format("boost item={} x{:g}", rule.item_id, rule.factor));
    }
    if (rule.kind == Rule::Kind::kMaxPerCategory && !candidate.item->category.empty() &&
        (rule.category.empty() || rule.category == candidate.item->category)) {
      out.push_back(fmt::format("at most {} of category={}", rule.limit, candidate.item->category));
    }
  }
  if (placement.freshness > 0) {
    const Item& item = *candidate.item;
    out.push_back(fmt::format("freshness x{:.3g}: {} old", freshness_factor(item, placement, now),
                              ago(now - item.created)));
  }
  if (candidate.pin >= 0) out.push_back(fmt::format("pin at place {}", candidate.pin));
  if (candidate.seen) out.push_back(fmt::format("seen {} ago", ago(now - *candidate.seen)));
  return out;
}

}  // namespace attune
