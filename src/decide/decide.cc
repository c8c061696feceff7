#include "decide/decide.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <optional>

#include "base/hash.h"
#include "decide/candidates.h"
#include "decide/rank_lists.h"
#include "decide/rules.h"

namespace attune {
namespace {

constexpr std::uint64_t kControlSalt = 0x61747475'6e652e63ULL;
constexpr std::uint64_t kCanarySalt = 0x61747475'6e652e79ULL;
constexpr std::size_t kMostOthers = 50;
constexpr double kLeastP = 1e-7;
constexpr std::size_t kRowGuess = 48;  // features of one row, to reserve
using Weights = WeightTable;

double weight_of(const Weights& weights, std::uint32_t hash) { return double{weights[hash]}; }

// Those the placement asks for; null = none can rank.
const RankModels* models_of(const Placement& placement, const Published& published) {
  const auto found = published.models.find(placement.model);
  return placement.model.empty() || found == published.models.end() ? nullptr : &found->second;
}

bool is_tried_on(std::uint64_t person_hash, const Placement& placement, const RankModels& models) {
  return models.canary.model && is_canary(person_hash, placement.model, models.share);
}

// The one that ranks for this person; null = the live learner.
const RankModel* model_of(std::uint64_t person_hash, const Placement& placement,
                          const Published& published) {
  const RankModels* const models = models_of(placement, published);
  if (models == nullptr) return nullptr;
  if (is_tried_on(person_hash, placement, *models)) return &models->canary;
  return models->promoted.model ? &models->promoted : nullptr;
}

bool has_weights(const Occasion& on) {
  return models_of(on.placement, on.published) != nullptr ||
         (on.published.weights && on.published.weights->used() > 0);
}

double uniform(std::uint64_t bits) { return static_cast<double>(bits >> 11) * 0x1.0p-53; }

struct Choice {
  Policy policy;
  const char* reason;
};

bool is_denied(const Profile& person) {
  return (person.denied_purposes & static_cast<std::uint8_t>(Purpose::kPersonalization)) != 0;
}

Choice choose_policy(const Asker& asker, const Occasion& on) {
  const Profile& person = asker.profile;
  if (is_control(asker.hash, on.placement.control_share))
    return {Policy::kControl, "control share"};
  if (is_denied(person)) return {Policy::kFallback, "personalization denied: popular"};
  if (!asker.is_known) return {Policy::kFallback, "person not known: popular"};
  const bool is_blank = person.touches.empty() && person.traits.empty() && person.seen.empty();
  if (is_blank && !has_weights(on)) {
    return {Policy::kFallback, "no history and no model yet: popular"};
  }
  const RankModels* const models = models_of(on.placement, on.published);
  if (models != nullptr && is_tried_on(asker.hash, on.placement, *models)) {
    return {Policy::kLearned,
            "learned from this person's history; the placement's model is a canary, tried on a "
            "share of the persons"};
  }
  if (!on.placement.model.empty() && (models == nullptr || !models->promoted.model)) {
    return {Policy::kLearned,
            "learned from this person's history; the placement's model has no version that can "
            "serve: the live learner ranks"};
  }
  const std::string& retriever = on.placement.retriever;
  if (!retriever.empty() && !on.published.retrievers.contains(retriever)) {
    return {Policy::kLearned,
            "learned from this person's history; the placement's retriever has no version that "
            "can serve: it draws no candidates"};
  }
  return {Policy::kLearned, "learned from this person's history"};
}

// Sum of weight * value; 0 when a value is not finite, as in training.
double logit_of(Row row, const Weights& weights) {
  double sum = 0;
  for (const Feature& f : row) sum += weight_of(weights, f.hash) * double{f.value};
  return std::isfinite(sum) ? sum : 0;
}

// What may be read of a person, what was published; blank where there is none.
struct Basis {
  Basis(const Profile& person, const Published& published, const RankModel* ranked_by)
      : model(ranked_by),
        history(is_denied(person) ? kBlank : person),
        counters(published.counters ? *published.counters : kNoCounters),
        weights(published.weights ? *published.weights : kNoWeights),
        plan(published.plan ? *published.plan : default_plan()) {}
  const RankModel* const model;  // null = the live learner: weights
  const Profile& history;
  const Counters& counters;
  const Weights& weights;
  const Plan& plan;

 private:
  static inline const Profile kBlank{};
  static inline const Counters kNoCounters{};
  static inline const Weights kNoWeights{};
};

// Ends the row that the last features make.
void end_row(Examples& rows) {
  rows.ends.push_back(static_cast<std::uint32_t>(rows.features.size()));
  add_live_fields(rows);
}

void predict_by_model(std::vector<Candidate>& candidates, const RowBuilder& rows,
                      const Model& model) {
  Examples all;
  all.features.reserve(candidates.size() * kRowGuess);
  for (const Candidate& c : candidates) {
    rows.build(*c.item, c.neighbour, all.features);
    end_row(all);
  }
  std::vector<float> p(candidates.size());
  model.predict(all, p);
  for (std::size_t i = 0; i < candidates.size(); ++i) {
    candidates[i].p = std::clamp(double{p[i]}, kLeastP, 1 - kLeastP);
    candidates[i].logit = std::log(candidates[i].p / (1 - candidates[i].p));
  }
}

void predict_live(std::vector<Candidate>& candidates, const RowBuilder& rows,
                  const Weights& weights) {
  std::vector<Feature> row;
  row.reserve(kRowGuess);
  for (Candidate& c : candidates) {
    row.clear();
    rows.build(*c.item, c.neighbour, row);
    c.logit = logit_of(row, weights);
    c.p = 1 / (1 + std::exp(-c.logit));
  }
}

void score(std::vector<Candidate>& candidates, const RowBuilder& rows, const Basis& basis,
           const Occasion& on, bool is_learned) {
  if (basis.model != nullptr) {
    predict_by_model(candidates, rows, *basis.model->model);
  } else {
    predict_live(candidates, rows, basis.weights);
  }
  // The model says nothing of any candidate.
  const bool is_silent = std::all_of(candidates.begin(), candidates.end(),
                                     [](const Candidate& c) { return c.logit == 0; });
  const bool by_popularity = !is_learned || is_silent;
  const double prior = by_popularity ? prior_rate(basis.counters, on.now) : 0;
  for (Candidate& c : candidates) {
    const double popular =
        by_popularity ? popularity(basis.counters, c.item->key, prior, on.now) : 0;
    c.base = is_learned ? c.p : popular;
    c.second = popular;
    c.score = c.base * boost_of(*c.item, on.placement.rules) *
              freshness_factor(*c.item, on.placement, on.now);
    if (!std::isfinite(c.score)) c.score = c.base;  // keeps the order a strict one
  }
}

std::vector<std::size_t> order_by(const std::vector<Candidate>& candidates,
                                  double Candidate::*score) {
  struct Key {  // what decides nearly always, side by side
    double score, second;
    std::size_t place;
  };
  std::vector<Key> keys;
  keys.reserve(candidates.size());
  for (const Candidate& c : candidates) keys.push_back({c.*score, c.second, keys.size()});
  std::sort(keys.begin(), keys.end(), [&](const Key& a, const Key& b) {
    if (a.score != b.score) return a.score > b.score;
    if (a.second != b.second) return a.second > b.second;
    return candidates[a.place].item->id < candidates[b.place].item->id;
  });
  std::vector<std::size_t> order(keys.size());
  std::transform(keys.begin(), keys.end(), order.begin(), [](const Key& k) { return k.place; });
  return order;
}

// The candidates in order, and how alike they are; the candidates must outlive it.
struct Ranked {
  std::vector<std::size_t> order;    // after boosts, best first
  std::vector<std::size_t> free;     // without the pinned
  std::optional<Likeness> likeness;  // when diversity is on

  Likeness* alike() { return likeness ? &*likeness : nullptr; }
};

// The places a filling without exploration gives; the others follow in order.
void rank_filled(std::vector<Candidate>& candidates, const Ranked& ranked, const Filling& filling,
                 std::int32_t Candidate::*rank) {
  std::vector<char> is_placed(candidates.size(), 0);
  std::int32_t next = 0;
  for (const Placed& placed : fill_slate(candidates, ranked.free, filling)) {
    candidates[placed.candidate].*rank = next++;
    is_placed[placed.candidate] = 1;
  }
  for (const std::size_t i : ranked.order) {
    if (is_placed[i] == 0) candidates[i].*rank = next++;
  }
}

// Sets all ranks.
Ranked rank(std::vector<Candidate>& candidates, const Placement& placement, int n) {
  std::int32_t next = 0;
  const std::vector<std::size_t> by_model = order_by(candidates, &Candidate::base);
  for (const std::size_t i : by_model) candidates[i].rank_by_model = next++;
  const bool is_boosted = std::any_of(candidates.begin(), candidates.end(),
                                      [](const Candidate& c) { return c.score != c.base; });
  Ranked out;
  out.order = is_boosted ? order_by(candidates, &Candidate::score) : by_model;
  next = 0;
  for (const std::size_t i : out.order) candidates[i].rank_by_boosts = next++;
  out.free = out.order;
  std::erase_if(out.free, [&](std::size_t i) { return candidates[i].pin >= 0; });
  rank_filled(candidates, out, {placement, n}, &Candidate::rank_by_rules);
  if (placement.diversity > 0) {
    out.likeness.emplace(candidates);
    rank_filled(candidates, out, {placement, n, out.alike()}, &Candidate::rank_by_diversity);
  }
  return out;
}

std::vector<Part> explain_by_model(std::vector<Part> parts, const Model& model) {
  Examples row;
  for (const Part& part : parts) row.features.push_back({part.hash, part.value});
  end_row(row);
  const std::vector<float> exact = model.parts(row.row(0), row.fields_of(0));
  for (std::size_t i = 0; i < parts.size() && i < exact.size(); ++i) parts[i].part = exact[i];
  if (model.bias() != 0) parts.push_back({kModelBias, 0, 0, static_cast<float>(model.bias())});
  return parts;
}

// Each part's rounding to float is carried into the next, so that the sum keeps double precision.
std::vector<Part> explain(const Candidate& c, const RowBuilder& rows, const Basis& basis) {
  std::vector<Part> parts = rows.explain(*c.item, c.neighbour);
  if (basis.model != nullptr) return explain_by_model(std::move(parts), *basis.model->model);
  const Weights& weights = basis.weights;
  double sum = 0, carry = 0;
  for (const Part& part : parts) sum += weight_of(weights, part.hash) * double{part.value};
  const bool is_finite = std::isfinite(sum);
  for (Part& part : parts) {
    const double exact =
        is_finite ? weight_of(weights, part.hash) * double{part.value} + carry : 0.0;
    part.part = static_cast<float>(exact);
    carry = exact - double{part.part};
  }
  return parts;
}

ShownItem shown_item(const Candidate& c, const Placed& placed, const RowBuilder& rows,
                     const Basis& basis, const Occasion& on) {
  ShownItem out;
  out.item_id = c.item->id;
  out.source = c.pin >= 0 ? "pin" : c.source;
  out.score = static_cast<float>(c.score);
  out.p_click = static_cast<float>(c.p);
  out.propensity = placed.propensity;
  out.rank_by_model = c.rank_by_model;
  out.rank_by_boosts = c.rank_by_boosts;
  out.rank_by_rules = c.rank_by_rules;
  out.rank_by_diversity = on.placement.diversity > 0 ? c.rank_by_diversity : c.rank_by_rules;
  out.freshness = static_cast<float>(freshness_factor(*c.item, on.placement, on.now));
  out.diversity = static_cast<float>(placed.diversity);
  out.is_explored = placed.is_explored;
  out.rules = rule_sentences(c, on.placement, on.now);
  out.parts = explain(c, rows, basis);
  return out;
}

// Why each item of the slate stands below others that are unlike those above.
void add_diversity_sentences(const std::vector<Candidate>& candidates,
                             const std::vector<Placed>& slate, const Likeness& likeness,
                             Decision& out) {
  std::vector<std::size_t> above;
  for (std::size_t place = 0; place < slate.size(); ++place) {
    const Placed& own = slate[place];
    std::string fell_below;  // the nearest above that the rules alone would have placed below
    for (std::size_t k = 0; k < place && !own.is_explored; ++k) {
      const Candidate& other = candidates[slate[k].candidate];
      if (slate[k].is_explored || other.pin >= 0) continue;
      if (other.rank_by_rules > out.shown[place].rank_by_rules) fell_below = other.item->id;
    }
    const std::string sentence =
        diversity_sentence(likeness, own.candidate, above, own.diversity, fell_below);
    if (!sentence.empty()) out.shown[place].rules.push_back(sentence);
    above.push_back(own.candidate);
  }
}

// The best not shown, by what they are worth below the slate when diversity is on; and those that
// would come in instead of a shown one.
std::vector<std::size_t> best_others(const std::vector<std::size_t>& left, const Variety* variety,
                                     const std::vector<Instead>& instead) {
  std::vector<std::size_t> out = left;
  const std::size_t most = std::min(left.size(), kMostOthers);
  if (variety != nullptr) {
    std::vector<std::pair<double, std::size_t>> worth;  // negative, so that the most comes first
    for (std::size_t k = 0; k < left.size(); ++k)
      worth.push_back({-variety->log_worth(left[k]), k});
    std::partial_sort(worth.begin(), worth.begin() + static_cast<std::ptrdiff_t>(most),
                      worth.end());
    for (std::size_t k = 0; k < most; ++k) out[k] = left[worth[k].second];
  }
  out.resize(most);
  for (const Instead& one : instead) {
    if (one.other == 0 || std::find(out.begin(), out.end(), left[one.other - 1]) != out.end()) {
      continue;
    }
    out.push_back(left[one.other - 1]);
  }
  return out;
}

void add_others(const std::vector<Candidate>& candidates, Ranked& ranked,
                const std::vector<Placed>& slate, const Placement& placement, Decision& out) {
  std::optional<Variety> variety;
  if (ranked.likeness) variety.emplace(*ranked.likeness, placement.diversity);
  std::vector<char> is_shown(candidates.size(), 0);
  for (const Placed& placed : slate) {
    is_shown[placed.candidate] = 1;
    if (variety) variety->place(placed.candidate);
  }
  std::vector<std::size_t> left = ranked.order;
  std::erase_if(left, [&](std::size_t i) { return is_shown[i] != 0; });
  if (!variety && left.size() > kMostOthers) left.resize(kMostOthers);
  const Variety* const all = variety ? &*variety : nullptr;
  const std::vector<Instead> instead = instead_of(candidates, slate, left, placement, all);
  const std::vector<std::size_t> others = best_others(left, all, instead);
  for (const std::size_t i : others) {
    const Candidate& c = candidates[i];
    out.others.push_back({c.item->id, std::string(c.source), static_cast<float>(c.score)});
  }
  for (std::size_t place = 0; place < instead.size(); ++place) {
    if (instead[place].other == 0) continue;
    const auto at = std::find(others.begin(), others.end(), left[instead[place].other - 1]);
    out.shown[place].instead = 1 + static_cast<std::uint32_t>(at - others.begin());
    out.shown[place].instead_score = static_cast<float>(instead[place].score);
  }
}

RowMoment moment_of(const Decision& made, const Published& published) {
  return {.placement = made.placement,
          .now = made.time,
          .context = made.context,
          .utc_offset_s = made.utc_offset_s,
          .catalog = published.catalog.get()};
}

}  // namespace

bool is_control(std::uint64_t person_hash, double control_share) {
  return uniform(mix64(person_hash, kControlSalt)) < control_share;
}

bool is_canary(std::uint64_t person_hash, std::string_view model, double share) {
  return uniform(mix64(person_hash, mix64(hash64(model), kCanarySalt))) < share;
}

std::string new_decision_id(Time now, Rng& rng) {
  static constexpr char kAlphabet[] = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
  const std::int64_t us = std::max<std::int64_t>(0, to_us(now));
  const std::uint64_t ms = static_cast<std::uint64_t>(us / 1000) & 0xffff'ffff'ffffULL;
  std::string id = "d_";
  for (int shift = 45; shift >= 0; shift -= 5) id.push_back(kAlphabet[(ms >> shift) & 31]);
  for (int half = 0; half < 2; ++half) {
    const std::uint64_t bits = rng.next();
    for (int shift = 59; shift > 19; shift -= 5) id.push_back(kAlphabet[(bits >> shift) & 31]);
  }
  return id;
}

Result<Decision> decide(const DecideRequest& request, const Asker& asker, const Occasion& on,
                        Rng& rng, std::string decision_id) {
  const auto& [placement, published, now] = on;
  if (request.n < 1 || request.n > 100) {
    return Error{Code::kInvalid, fmt::format("n is {}, not in [1, 100]", request.n), "n",
                 "ask for 1 to 100 items"};
  }
  if (!published.catalog) {
    return Error{Code::kUnavailable, "no catalog is published yet", "", "try again shortly"};
  }
  const Basis basis(asker.profile, published, model_of(asker.hash, placement, published));
  const Choice choice = choose_policy(asker, on);
  const bool is_learned = choice.policy == Policy::kLearned;

  Decision out;
  out.id = std::move(decision_id);
  out.time = now;
  out.placement = request.placement.empty() ? placement.name : request.placement;
  out.policy = choice.policy;
  out.reason = choice.reason;
  out.model_version = published.version;
  if (basis.model != nullptr) out.model = basis.model->version;
  out.outcome_window_s = placement.outcome_window_s;
  out.is_impression_served = placement.is_impression_served;
  out.has_dials = placement.diversity > 0 || placement.freshness > 0;

  std::vector<Candidate> candidates =
      collect_candidates(request, basis.history, asker, on, is_learned);
  if (!is_denied(asker.profile)) out.context = request.context;
  out.utc_offset_s = request.utc_offset_s;
  const RowBuilder rows(basis.plan, basis.history, basis.counters, moment_of(out, published));
  score(candidates, rows, basis, on, is_learned);
  Ranked ranked = rank(candidates, placement, request.n);
  Rng* const explore = choice.policy == Policy::kControl ? nullptr : &rng;
  const std::vector<Placed> slate =
      fill_slate(candidates, ranked.free, {placement, request.n, ranked.alike(), explore});
  out.shown.reserve(slate.size());
  for (const Placed& placed : slate) {
    out.shown.push_back(shown_item(candidates[placed.candidate], placed, rows, basis, on));
  }
  if (ranked.likeness) add_diversity_sentences(candidates, slate, *ranked.likeness, out);
  add_others(candidates, ranked, slate, placement, out);
  if (out.shown.empty()) out.reason = "no eligible items";
  return out;
}

namespace {

// What scored it, as far as it is in this version.
struct Scored {
  bool is_there = false;
  const RankModel* model = nullptr;  // null = the live learner
};
Scored scored_by(const Decision& made, const Published& published) {
  if (made.model.empty()) return {true, nullptr};
  const auto* const models = models_of(published.catalog->placement(made.placement), published);
  if (models == nullptr) return {};
  for (const RankModel* const one : {&models->promoted, &models->canary}) {
    if (one->model && one->version == made.model) return {true, one};
  }
  return {};
}

}  // namespace

bool can_score_again(const Decision& made, const Published& published) {
  return scored_by(made, published).is_there;
}

std::vector<std::vector<Part>> parts_again(const Decision& made, const Profile& person,
                                           const Published& published) {
  const Placement& placement = published.catalog->placement(made.placement);
  const Basis basis(person, published, scored_by(made, published).model);
  const std::vector<Neighbour> near = neighbours_of(basis.history, placement, published);
  const RowBuilder rows(basis.plan, basis.history, basis.counters, moment_of(made, published));
  std::vector<std::vector<Part>> out;
  for (const ShownItem& shown : made.shown) {
    Candidate c;
    c.item = published.catalog->find(shown.item_id);
    out.emplace_back();
    if (c.item == nullptr) continue;
    const auto at = std::find_if(near.begin(), near.end(),
                                 [&](const Neighbour& n) { return n.item == c.item->key; });
    if (at != near.end()) c.neighbour = at->count;
    out.back() = explain(c, rows, basis);
  }
  return out;
}

}  // namespace attune
