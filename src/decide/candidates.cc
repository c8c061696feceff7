#include "decide/candidates.h"

#include <algorithm>
#include <unordered_set>

namespace attune {
namespace {

constexpr std::size_t kNeighbours = 200;

std::vector<ItemKey> recent_items(const Profile& person) {
  std::vector<ItemKey> items;
  for (const Touch& touch : person.touches) items.push_back(touch.item);
  return items;
}

std::unordered_set<ItemKey, IdHash> seen_items(const Profile& person, double window_s, Time now) {
  std::unordered_set<ItemKey, IdHash> seen;
  if (window_s <= 0) return seen;
  for (const auto& [item, when] : person.seen) {
    if (now - when < seconds(window_s)) seen.insert(item);
  }
  return seen;
}

bool is_hidden_by_rule(const Item& item, const Placement& placement) {
  return std::any_of(placement.rules.begin(), placement.rules.end(), [&](const Rule& rule) {
    return rule.kind == Rule::Kind::kHide &&
           ((!rule.item_id.empty() && rule.item_id == item.id) ||
            (!rule.category.empty() && rule.category == item.category));
  });
}

// Collects candidates once each, up to a limit, leaving out what must not be shown.
class Collector {
 public:
  Collector(const Placement& placement, std::unordered_set<ItemKey, IdHash> left_out)
      : placement_(placement),
        limit_(static_cast<std::size_t>(placement.candidates)),
        taken_(std::move(left_out)) {}
  void add(const Item* item, std::string_view source, float neighbour) {
    if (!item || found.size() >= limit_ || item->is_hidden) return;
    if (is_hidden_by_rule(*item, placement_) || !taken_.insert(item->key).second) return;
    found.push_back({.item = item, .source = source, .neighbour = neighbour, .rules = {}});
  }
  std::vector<Candidate> found;

 private:
  const Placement& placement_;
  std::size_t limit_;
  std::unordered_set<ItemKey, IdHash> taken_;  // seen by the person, or a candidate already
};

}  // namespace

std::vector<Candidate> find_candidates(const DecideRequest& request, const Profile& person,
                                       const Placement& placement, const Published& published,
                                       Time now) {
  Collector collector(placement, seen_items(person, placement.seen_window_s, now));
  const Catalog& catalog = *published.catalog;
  const auto neighbours = published.item_item->score(recent_items(person), kNeighbours);
  if (!request.candidates.empty()) {
    std::unordered_map<ItemKey, float, IdHash> scores;
    for (const Neighbour& neighbour : neighbours) scores[neighbour.item] = neighbour.count;
    for (const std::string& id : request.candidates) {
      const auto score = scores.find(item_key(id));
      collector.add(catalog.find(id), "request", score == scores.end() ? 0 : score->second);
    }
    return std::move(collector.found);
  }
  for (const Neighbour& neighbour : neighbours) {
    collector.add(catalog.find(neighbour.item), "item_item", neighbour.count);
  }
  for (const auto& item : published.latest) {
    if (collector.found.size() >= static_cast<std::size_t>(placement.candidates) / 2) break;
    collector.add(item.get(), "latest", 0);
  }
  for (const auto& item : published.popular) collector.add(item.get(), "popular", 0);
  return std::move(collector.found);
}

void score_candidates(std::vector<Candidate>& candidates, const RowBuilder& rows,
                      const Published& published, Time now) {
  const std::vector<float>& weights = *published.weights;
  const std::size_t mask = weights.size() - 1;
  const double prior = smoothed_rate(published.counters->all, 0.05, now);
  std::vector<Feature> row;
  for (Candidate& candidate : candidates) {
    row.clear();
    rows.build(*candidate.item, candidate.neighbour, row);
    candidate.logit = 0;
    for (const Feature& feature : row) {
      candidate.logit += static_cast<double>(weights[feature.hash & mask] * feature.value);
    }
    const auto counts = published.counters->items.find(candidate.item->key);
    candidate.popularity = counts == published.counters->items.end()
                               ? prior
                               : smoothed_rate(counts->second, prior, now);
  }
}

}  // namespace attune
