#include "feature/row.h"

#include <algorithm>
#include <cmath>

#include "feature/plan_kinds.h"

namespace attune {
namespace {

constexpr double kPriorRate = 0.05;  // before anything was shown

std::uint64_t hash_of(FeatureKind kind) {
  static const auto all = [] {
    std::vector<std::uint64_t> hashes;
    for (const FeatureKindRow& row : feature_kinds()) hashes.push_back(hash64(row.name));
    return hashes;
  }();
  return all[static_cast<std::size_t>(kind)];
}

double logit_of(double p) {
  const double q = std::clamp(p, 1e-4, 1 - 1e-4);
  return std::log(q / (1 - q));
}

}  // namespace

double smoothed_rate(const Affinity& a, double prior, Time now) {
  return (a.engaged.at(now)[k30d] + 20 * prior) / (a.shown.at(now)[k30d] + 20.0);
}

bool is_activity(std::uint32_t id) {
  static const std::uint32_t activity = live_id(0, hash_of(FeatureKind::kActivity));
  return live_id(0, id) == activity;
}

std::vector<SequenceField> live_sequences(const Plan& plan) {
  std::vector<SequenceField> all;
  constexpr std::size_t kOwnFields = kLiveFields - 1;  // features after these share the last
  for (std::size_t i = 0; i < std::min(plan.features.size(), kOwnFields); ++i) {
    if (plan.features[i].as.empty()) continue;
    const auto like = place_of_category(plan, plan.features[i].as);
    if (!like || *like >= kOwnFields) continue;
    all.push_back({static_cast<std::uint16_t>(i), static_cast<std::uint16_t>(*like),
                   live_id(i, 0) ^ live_id(*like, 0)});
  }
  return all;
}

void add_live_fields(Examples& rows) {
  for (std::size_t i = rows.fields.size(); i < rows.features.size(); ++i) {
    rows.fields.push_back(live_field(rows.features[i].hash));
  }
}

RowBuilder::RowBuilder(const Plan& plan, const Profile& person, const Counters& counters,
                       const RowMoment& moment)
    : counters_(counters),
      now_(moment.now),
      base_rate_(std::clamp(smoothed_rate(counters.all, kPriorRate, now_), 1e-4, 1 - 1e-4)),
      placement_(moment.placement),
      live_(plan, person, counters, moment) {
  std::size_t declared = 0;
  for (const PlanFeature& feature : plan.features) {
    Step step{feature.kind, feature.scale, {}, is_declared(feature.kind) ? declared++ : 0};
    if (feature.kind == FeatureKind::kTrait || feature.kind == FeatureKind::kTraitTopic) {
      step.traits = traits_of(person, feature.traits, plan.sensitive);
    }
    steps_.push_back(std::move(step));
  }
  interests_.reserve(person.interests.size());
  const std::uint32_t hour = whole_hours(whole_seconds(now_));
  for (const Interest& one : person.interests) interests_.push_back(one.at(hour));
}

std::vector<RowBuilder::Trait> RowBuilder::traits_of(const Profile& person,
                                                     const std::vector<std::string>& wanted,
                                                     const Sensitive& sensitive) const {
  std::vector<Trait> traits;
  for (const auto& [name, json] : person.traits) {
    if (traits.size() == kMostTraits) break;
    if (!wanted.empty() && std::find(wanted.begin(), wanted.end(), name) == wanted.end()) continue;
    const std::string_view value = plain_scalar(json);
    if (value.empty() || !sensitive.match(name).empty()) continue;
    const std::uint64_t named = mix64(hash_of(FeatureKind::kTrait), hash64(name));
    traits.push_back({std::string(name) + "=" + std::string(value), mix64(named, hash64(value))});
  }
  return traits;
}

double RowBuilder::mean_of(std::uint32_t topic) const {
  const auto at = std::lower_bound(interests_.begin(), interests_.end(), topic,
                                   [](const Interest& i, std::uint32_t t) { return i.topic < t; });
  return at != interests_.end() && at->topic == topic ? double{at->mean()} : 0;
}

double RowBuilder::item_rate(const Item& item) const {
  const Affinity* const own = counters_.items.find(item.key);
  return own ? logit_of(smoothed_rate(*own, base_rate_, now_)) - logit_of(base_rate_) : 0;
}

double RowBuilder::interest(const Item& item) const {
  double sum = 0;
  for (const Topic& topic : item.topics) sum += double{topic.weight} * mean_of(topic.id);
  return sum;
}

double RowBuilder::number(FeatureKind kind, const Item& item, float neighbour_score) const {
  if (kind == FeatureKind::kItemRate) return item_rate(item);
  if (kind == FeatureKind::kInterest) return interest(item);
  if (kind == FeatureKind::kActivity) return mean_of(0);
  if (kind == FeatureKind::kNeighbour) return neighbour_score > 0 ? std::log1p(neighbour_score) : 0;
  if (kind == FeatureKind::kPrice) return item.price > 0 ? std::log1p(item.price) : 0;
  if (item.created == Time{} || item.created >= now_) return 0;
  return std::log1p(static_cast<double>((now_ - item.created).count()) / 86400e6);
}

// One feature a topic of the item, or one a trait and topic. `name` says which, for who wants it.
template <class Emit>
void RowBuilder::emit_words(const Step& step, const Item& item, const Emit& emit_feature) const {
  for (std::size_t i = 0; i < item.topics.size(); ++i) {
    const Topic& topic = item.topics[i];
    const std::uint64_t word = mix64(hash_of(FeatureKind::kTopic), topic.id);
    const float value = step.scale * topic.weight;
    const auto word_name = [&] { return "topic=" + topic_words(item.category, item.tags)[i]; };
    if (step.kind == FeatureKind::kTopic) emit_feature(word, value, word_name);
    for (const Trait& trait : step.traits) {
      emit_feature(mix64(trait.hash, word), value,
                   [&] { return trait.name + " x " + word_name(); });
    }
  }
}

// A number of 0 is left out: it would add nothing and teach nothing.
template <class Emit>
void RowBuilder::emit_step(const Step& step, const Item& item, float neighbour_score,
                           const Emit& emit_feature) const {
  const std::uint64_t hash = hash_of(step.kind);
  switch (step.kind) {
    case FeatureKind::kBias:
      emit_feature(hash, step.scale, [] { return std::string("bias"); });
      break;
    case FeatureKind::kPlacement:
      emit_feature(mix64(hash, hash64(placement_)), step.scale,
                   [&] { return "placement=" + placement_; });
      break;
    case FeatureKind::kItem:
      emit_feature(mix64(hash, raw(item.key)), step.scale, [&] { return "item=" + item.id; });
      break;
    case FeatureKind::kTrait:
      for (const Trait& trait : step.traits) {
        emit_feature(trait.hash, step.scale, [&] { return trait.name; });
      }
      break;
    case FeatureKind::kTopic:
    case FeatureKind::kTraitTopic:
      emit_words(step, item, emit_feature);
      break;
    default: {
      const double value = double{step.scale} * number(step.kind, item, neighbour_score);
      if (value == 0 || !std::isfinite(value)) break;
      emit_feature(hash, static_cast<float>(value),
                   [&] { return std::string(kind_name(step.kind)); });
    }
  }
}

// Emits (id, value, name); the name is a function, called only by who wants it.
template <class Emit>
void RowBuilder::emit(const Item& item, float neighbour_score, const Emit& emit_feature) const {
  ItemValues values;  // NOLINT: filled as far as it is read
  live_.read(item, values);
  for (std::size_t field = 0; field < steps_.size(); ++field) {
    const Step& step = steps_[field];
    const auto of_field = [&](std::uint64_t hash, float value, const auto& name) {
      emit_feature(live_id(field, hash), value, name);
    };
    if (is_declared(step.kind)) {
      live_[step.declared].emit(item, values, of_field);
    } else {
      emit_step(step, item, neighbour_score, of_field);
    }
  }
}

void RowBuilder::build(const Item& item, float neighbour_score, std::vector<Feature>& out) const {
  emit(item, neighbour_score, [&](std::uint32_t id, float value, const auto&) {
    out.push_back({id, value});
  });
}

std::vector<Part> RowBuilder::explain(const Item& item, float neighbour_score) const {
  std::vector<Part> parts;
  emit(item, neighbour_score, [&](std::uint32_t id, float value, const auto& name) {
    parts.push_back({name(), id, value, 0});
  });
  return parts;
}

}  // namespace attune
