#include "decide/rules.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>

namespace attune {
namespace {

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

std::vector<Placed> fill_slate(std::span<const Candidate> candidates,
                               std::vector<std::size_t> order, const Placement& placement, int n,
                               Rng* rng) {
  const double epsilon = rng == nullptr ? 0 : std::clamp(placement.epsilon, 0.0, 1.0);
  Caps caps(placement.rules);
  std::vector<std::size_t> pins;  // the next one last
  for (std::size_t i = 0; i < candidates.size(); ++i) {
    if (candidates[i].pin < 0) continue;
    pins.push_back(i);
    caps.count(candidates[i].item->category);
  }
  std::sort(pins.begin(), pins.end(),
            [&](std::size_t a, std::size_t b) { return candidates[a].pin > candidates[b].pin; });
  if (caps.any()) {
    std::erase_if(order, [&](std::size_t i) { return caps.is_full(candidates[i].item->category); });
  }
  std::vector<Placed> slate;
  slate.reserve(static_cast<std::size_t>(n));
  for (int place = 0; place < n; ++place) {
    if (!pins.empty() && (order.empty() || candidates[pins.back()].pin == place)) {
      slate.push_back({pins.back(), 1, false});  // with nothing left to fill, pins move up
      pins.pop_back();
      continue;
    }
    if (order.empty()) break;
    const bool is_explored = epsilon > 0 && rng->chance(epsilon);
    const std::size_t at = is_explored ? rng->below(order.size()) : 0;
    const double by_chance = epsilon / static_cast<double>(order.size());
    const double propensity = std::min(1.0, at == 0 ? by_chance + (1 - epsilon) : by_chance);
    const std::size_t chosen = order[at];
    slate.push_back({chosen, order.size() == 1 ? 1.0 : propensity, is_explored});
    order.erase(order.begin() + static_cast<std::ptrdiff_t>(at));
    const std::string& category = candidates[chosen].item->category;
    if (caps.count(category)) {
      std::erase_if(order, [&](std::size_t i) { return candidates[i].item->category == category; });
    }
  }
  return slate;
}

std::vector<std::size_t> instead_of(std::span<const Candidate> candidates,
                                    std::span<const Placed> slate,
                                    std::span<const std::size_t> others,
                                    const Placement& placement) {
  Caps caps(placement.rules);
  const auto category_of = [&](std::size_t i) -> const std::string& {
    return candidates[i].item->category;
  };
  for (const Placed& placed : slate) caps.count(category_of(placed.candidate));
  std::vector<std::size_t> out;
  out.reserve(slate.size());
  for (const Placed& placed : slate) {
    const std::string& left = category_of(placed.candidate);
    const auto found = std::find_if(others.begin(), others.end(), [&](std::size_t i) {
      // Full of others, or only by the one that is not there.
      return !caps.is_full(category_of(i)) ||
             (category_of(i) == left && !caps.is_over(category_of(i)));
    });
    out.push_back(found == others.end() ? 0 : 1 + static_cast<std::size_t>(found - others.begin()));
  }
  return out;
}

std::vector<std::string> rule_sentences(const Candidate& candidate, std::span<const Rule> rules,
                                        Time now) {
  std::vector<std::string> out;
  for (const Rule& rule : rules) {
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
  if (candidate.pin >= 0) out.push_back(fmt::format("pin at place {}", candidate.pin));
  if (candidate.seen) out.push_back(fmt::format("seen {} ago", ago(now - *candidate.seen)));
  return out;
}

}  // namespace attune
