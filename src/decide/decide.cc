#include "decide/decide.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <optional>

#include "decide/candidates.h"

namespace attune {
namespace {

constexpr std::uint64_t kControlSalt = 0x636f6e74726f6cULL;
constexpr std::size_t kOthers = 50;

double sigmoid(double logit) { return 1 / (1 + std::exp(-logit)); }

struct Choice {
  Policy policy = Policy::kLearned;
  std::string reason;
};

Choice choose_policy(const Profile& person, bool is_known, std::uint64_t person_hash,
                     const Placement& placement, const Published& published) {
  const double place = static_cast<double>(mix64(person_hash, kControlSalt) >> 11) * 0x1.0p-53;
  if (place < placement.control_share) return {Policy::kControl, "control share: popular items"};
  if (person.denied_purposes & static_cast<std::uint8_t>(Purpose::kPersonalization)) {
    return {Policy::kFallback, "fallback: personalization is denied, popular items"};
  }
  const bool has_history = !person.touches.empty() || !person.traits.empty();
  if (is_known && has_history) return {Policy::kLearned, "ranked by the model for this person"};
  const bool has_model = std::any_of(published.weights->begin(), published.weights->end(),
                                     [](float w) { return w != 0; });
  if (has_model && is_known) return {Policy::kLearned, "ranked by the model, little is known yet"};
  return {Policy::kFallback, "fallback: nothing is known of this person, popular items"};
}

bool is_about(const Rule& rule, const Item& item) {
  return (!rule.item_id.empty() && rule.item_id == item.id) ||
         (!rule.category.empty() && rule.category == item.category);
}

void apply_boosts(Candidate& candidate, const Placement& placement) {
  for (const Rule& rule : placement.rules) {
    if (rule.kind != Rule::Kind::kBoost || !is_about(rule, *candidate.item)) continue;
    candidate.score *= rule.factor;
    candidate.rules.push_back(rule.item_id.empty()
                                  ? fmt::format("boost category={} x{}", rule.category, rule.factor)
                                  : fmt::format("boost item={} x{}", rule.item_id, rule.factor));
  }
}

// Best score first; ties by id, so that a replay agrees.
void sort_by_score(std::vector<Candidate>& candidates) {
  std::sort(candidates.begin(), candidates.end(), [](const Candidate& a, const Candidate& b) {
    return a.score != b.score ? a.score > b.score : a.item->id < b.item->id;
  });
}

void rank(std::vector<Candidate>& candidates, const Placement& placement, Policy policy) {
  const bool is_learned = policy == Policy::kLearned;
  for (Candidate& c : candidates) c.score = is_learned ? sigmoid(c.logit) : c.popularity;
  sort_by_score(candidates);
  std::int32_t place = 0;
  for (Candidate& c : candidates) {
    c.rank_by_model = place++;
    apply_boosts(c, placement);
  }
  sort_by_score(candidates);
  place = 0;
  for (Candidate& c : candidates) c.rank_by_rules = place++;
}

// Fills the slate place by place from ranked candidates.
class Slate {
 public:
  Slate(std::vector<Candidate> ranked, const Placement& placement, double epsilon, Rng& rng)
      : left_(std::move(ranked)), placement_(placement), epsilon_(epsilon), rng_(rng) {}

  struct Place {
    Candidate candidate;
    double propensity = 1;
    bool is_explored = false;
  };
  std::optional<Place> next(int position) {
    for (const Rule& rule : placement_.rules) {
      if (rule.kind == Rule::Kind::kPin && rule.position == position) {
        if (auto pinned = take_pinned(rule)) return pinned;
      }
    }
    std::vector<std::size_t> eligible;
    for (std::size_t i = 0; i < left_.size(); ++i) {
      if (is_within_limits(*left_[i].item) && !is_pinned(*left_[i].item)) eligible.push_back(i);
    }
    if (eligible.empty()) return std::nullopt;
    const bool is_random = epsilon_ > 0 && rng_.chance(epsilon_);
    const std::size_t pick = is_random ? rng_.below(eligible.size()) : 0;
    const double uniform = epsilon_ / static_cast<double>(eligible.size());
    Place place{.candidate = take(eligible[pick]),
                .propensity = pick == 0 ? uniform + 1 - epsilon_ : uniform,
                .is_explored = is_random && pick != 0};
    if (place.is_explored) place.candidate.rules.push_back("explored: chosen at random");
    return place;
  }
  const std::vector<Candidate>& left() const { return left_; }

 private:
  std::optional<Place> take_pinned(const Rule& rule) {
    for (std::size_t i = 0; i < left_.size(); ++i) {
      if (left_[i].item->id != rule.item_id) continue;
      Place place{.candidate = take(i)};
      place.candidate.rules.push_back(fmt::format("pin to place {}", rule.position));
      place.candidate.source = "pin";
      return place;
    }
    return std::nullopt;
  }
  bool is_pinned(const Item& item) const {
    return std::any_of(placement_.rules.begin(), placement_.rules.end(), [&](const Rule& rule) {
      return rule.kind == Rule::Kind::kPin && rule.item_id == item.id;
    });
  }
  bool is_within_limits(const Item& item) const {
    for (const Rule& rule : placement_.rules) {
      if (rule.kind != Rule::Kind::kMaxPerCategory) continue;
      if (!rule.category.empty() && rule.category != item.category) continue;
      const auto shown = shown_.find(item.category);
      if (shown != shown_.end() && shown->second >= rule.limit) return false;
      if (shown == shown_.end() && rule.limit <= 0) return false;
    }
    return true;
  }
  Candidate take(std::size_t index) {
    Candidate taken = std::move(left_[index]);
    left_.erase(left_.begin() + static_cast<std::ptrdiff_t>(index));
    ++shown_[taken.item->category];
    return taken;
  }

  std::vector<Candidate> left_;
  const Placement& placement_;
  double epsilon_;
  Rng& rng_;
  std::map<std::string, int> shown_;  // per category
};

ShownItem to_shown(const Slate::Place& place, const RowBuilder& rows, const Published& published) {
  const Candidate& c = place.candidate;
  ShownItem shown;
  shown.item_id = c.item->id;
  shown.source = c.source;
  shown.score = static_cast<float>(c.score);
  shown.p_click = static_cast<float>(sigmoid(c.logit));
  shown.propensity = place.propensity;
  shown.rank_by_model = c.rank_by_model;
  shown.rank_by_rules = c.rank_by_rules;
  shown.is_explored = place.is_explored;
  shown.rules = c.rules;
  shown.parts = rows.explain(*c.item, c.neighbour);
  const std::size_t mask = published.weights->size() - 1;
  for (Part& part : shown.parts) part.part = (*published.weights)[part.hash & mask] * part.value;
  return shown;
}

}  // namespace

void rank_lists(Published& published, std::size_t limit) {
  const auto& items = published.catalog->items();
  const double prior = smoothed_rate(published.counters->all, 0.05, published.time);
  std::vector<std::pair<double, std::shared_ptr<const Item>>> rated;
  rated.reserve(items.size());
  for (const auto& item : items) {
    const auto counts = published.counters->items.find(item->key);
    const bool is_counted = counts != published.counters->items.end();
    rated.emplace_back(is_counted ? smoothed_rate(counts->second, prior, published.time) : prior,
                       item);
  }
  std::sort(rated.begin(), rated.end(), [](const auto& a, const auto& b) {
    return a.first != b.first ? a.first > b.first : a.second->id < b.second->id;
  });
  published.popular.clear();
  for (std::size_t i = 0; i < std::min(limit, rated.size()); ++i) {
    published.popular.push_back(rated[i].second);
  }
  published.latest = items;
  std::sort(published.latest.begin(), published.latest.end(), [](const auto& a, const auto& b) {
    return a->created != b->created ? a->created > b->created : a->id < b->id;
  });
  if (published.latest.size() > limit) published.latest.resize(limit);
}

Result<Decision> decide(const DecideRequest& request, const Profile& person, bool is_known,
                        std::uint64_t person_hash, const Placement& placement,
                        const Published& published, Time now, Rng& rng, std::string decision_id) {
  if (request.n < 1 || request.n > 100) {
    return Error{Code::kInvalid, fmt::format("n is {}, must be in [1, 100]", request.n), "n", ""};
  }
  const Choice choice = choose_policy(person, is_known, person_hash, placement, published);
  const RowBuilder rows(person, *published.counters, request.placement, now);
  auto candidates = find_candidates(request, person, placement, published, now);
  score_candidates(candidates, rows, published, now);
  rank(candidates, placement, choice.policy);
  const bool is_exploring = choice.policy == Policy::kLearned;
  Slate slate(std::move(candidates), placement, is_exploring ? placement.epsilon : 0, rng);
  Decision decision;
  decision.id = std::move(decision_id);
  decision.time = now;
  decision.placement = request.placement;
  decision.policy = choice.policy;
  decision.reason = choice.reason;
  decision.model_version = published.version;
  decision.outcome_window_s = placement.outcome_window_s;
  decision.is_impression_served = placement.is_impression_served;
  for (int position = 0; position < request.n; ++position) {
    const auto place = slate.next(position);
    if (!place) break;
    decision.shown.push_back(to_shown(*place, rows, published));
  }
  if (decision.shown.empty()) decision.reason = "no eligible items";
  for (const Candidate& other : slate.left()) {
    if (decision.others.size() >= kOthers) break;
    decision.others.push_back(
        {other.item->id, std::string(other.source), static_cast<float>(other.score)});
  }
  return decision;
}

std::string new_decision_id(Time now, Rng& rng) {
  static constexpr char kDigits[] = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
  auto ms = static_cast<std::uint64_t>(std::max<std::int64_t>(0, to_us(now) / 1000));
  std::string id(28, '_');
  id[0] = 'd';
  for (std::size_t i = 11; i >= 2; --i, ms >>= 5) id[i] = kDigits[ms & 31];
  for (std::size_t i = 12; i < 28; ++i) id[i] = kDigits[rng.below(32)];
  return id;
}

}  // namespace attune
