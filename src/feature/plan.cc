#include "feature/plan.h"

#include <algorithm>
#include <cmath>

#include "feature/item_view.h"

namespace attune {
namespace {

constexpr std::size_t kMaxTags = 8;
constexpr std::size_t kMaxTraits = 8;
constexpr std::size_t kMaxTraitLength = 64;
constexpr double kPriorRate = 0.05;  // before anything was shown

struct Names {  // hashes of the feature names
  std::uint64_t bias = hash64("bias"), placement = hash64("placement"),
                category = hash64("category"), tag = hash64("tag"), item = hash64("item"),
                trait = hash64("trait"), item_rate = hash64("item_rate"),
                interest = hash64("interest"), activity = hash64("activity"),
                neighbour = hash64("neighbour"), item_age = hash64("item_age"),
                price = hash64("price");
};

const Names& names() {
  static const Names all;
  return all;
}

double logit_of(double p) {
  const double q = std::clamp(p, 1e-4, 1 - 1e-4);
  return std::log(q / (1 - q));
}

// The value of a JSON scalar without its quotes; "" for null, objects, arrays and long texts.
std::string_view plain_scalar(std::string_view json) {
  if (json.size() >= 2 && json.front() == '"')
    json = json.substr(1, json.size() - 2);
  else if (json.empty() || json.front() == '{' || json.front() == '[' || json == "null")
    return {};
  return json.size() <= kMaxTraitLength ? json : std::string_view{};
}

}  // namespace

double smoothed_rate(const Affinity& a, double prior, Time now) {
  return (a.engaged.at(now, k30d) + 20 * prior) / (a.shown.at(now, k30d) + 20.0);
}

RowBuilder::RowBuilder(const Profile& person, const Counters& counters, std::string_view placement,
                       Time now)
    : counters_(counters),
      now_(now),
      base_rate_(std::clamp(smoothed_rate(counters.all, kPriorRate, now), 1e-4, 1 - 1e-4)),
      placement_(placement),
      placement_hash_(mix64(names().placement, hash64(placement))) {
  for (const auto& [name, json] : person.traits) {
    if (traits_.size() == kMaxTraits) break;
    const std::string_view value = plain_scalar(json);
    if (value.empty()) continue;
    const std::uint64_t named = mix64(names().trait, hash64(name));
    traits_.push_back({std::string(name) + "=" + std::string(value), mix64(named, hash64(value))});
  }
  interests_.reserve(person.interests.size());
  const std::uint32_t hour = whole_hours(whole_seconds(now));
  for (const Interest& one : person.interests) interests_.push_back(one.at(hour));
}

double RowBuilder::mean_of(std::uint32_t topic) const {
  const auto at = std::lower_bound(interests_.begin(), interests_.end(), topic,
                                   [](const Interest& i, std::uint32_t t) { return i.topic < t; });
  return at != interests_.end() && at->topic == topic ? double{at->mean()} : 0;
}

// Emits (hash, value, name); the name is a function, called only by who wants it.
template <class Emit>
void RowBuilder::emit(const Item& item, float neighbour_score, const Emit& emit_feature) const {
  emit_feature(names().bias, 1.0F, [] { return std::string("bias"); });
  emit_feature(placement_hash_, 1.0F, [&] { return "placement=" + placement_; });
  emit_feature(mix64(names().item, raw(item.key)), 1.0F, [&] { return "item=" + item.id; });
  emit_crossed(item, emit_feature);
  emit_numeric(item, neighbour_score, emit_feature);
}

template <class Emit>
void RowBuilder::emit_crossed(const Item& item, const Emit& emit_feature) const {
  const auto emit_with_traits = [&](std::uint64_t name_hash, const char* name,
                                    const std::string& value) {
    const std::uint64_t hash = mix64(name_hash, hash64(value));
    emit_feature(hash, 1.0F, [&] { return name + value; });
    for (const Cross& trait : traits_) {
      emit_feature(mix64(trait.hash, hash), 1.0F,
                   [&] { return trait.name + " x " + name + value; });
    }
  };
  if (!item.category.empty()) emit_with_traits(names().category, "category=", item.category);
  for (std::size_t i = 0; i < std::min(item.tags.size(), kMaxTags); ++i) {
    emit_with_traits(names().tag, "tag=", item.tags[i]);
  }
}

// A value of 0 is left out: it would add nothing and teach nothing.
template <class Emit>
void RowBuilder::emit_numeric(const Item& item, float neighbour_score,
                              const Emit& emit_feature) const {
  const auto number = [&](std::uint64_t hash, double value, const char* name) {
    if (value == 0 || !std::isfinite(value)) return;
    emit_feature(hash, static_cast<float>(value), [&] { return std::string(name); });
  };
  if (const Affinity* const own = counters_.items.find(item.key)) {
    const double rate = smoothed_rate(*own, base_rate_, now_);
    number(names().item_rate, logit_of(rate) - logit_of(base_rate_), "item_rate");
  }
  double interest = 0;
  const ItemView view = item_view(item);
  for (const Topic& topic : view.about()) interest += double{topic.weight} * mean_of(topic.id);
  number(names().activity, mean_of(0), "activity");
  number(names().interest, interest, "interest");
  if (neighbour_score > 0) number(names().neighbour, std::log1p(neighbour_score), "neighbour");
  if (item.created != Time{} && item.created < now_) {
    const double days = static_cast<double>((now_ - item.created).count()) / 86400e6;
    number(names().item_age, std::log1p(days), "item_age");
  }
  if (item.price > 0) number(names().price, std::log1p(item.price), "price");
}

void RowBuilder::build(const Item& item, float neighbour_score, std::vector<Feature>& out) const {
  emit(item, neighbour_score, [&](std::uint64_t hash, float value, const auto&) {
    out.push_back({static_cast<std::uint32_t>(hash), value});
  });
}

std::vector<Part> RowBuilder::explain(const Item& item, float neighbour_score) const {
  std::vector<Part> parts;
  emit(item, neighbour_score, [&](std::uint64_t hash, float value, const auto& name) {
    parts.push_back({name(), static_cast<std::uint32_t>(hash), value, 0});
  });
  return parts;
}

}  // namespace attune
