#include "profile/profile.h"

#include <simdjson.h>

#include <algorithm>
#include <utility>

namespace attune {
namespace {

template <class K>
struct ByFirst {
  template <class P>
  bool operator()(const P& pair, const K& key) const {
    return pair.first < key;
  }
};

template <class K, class V>
typename std::vector<std::pair<K, V>>::iterator lower(std::vector<std::pair<K, V>>& sorted,
                                                      const K& key) {
  return std::lower_bound(sorted.begin(), sorted.end(), key, ByFirst<K>());
}

template <class T>
void keep_last(std::vector<T>& list, std::size_t count) {
  if (list.size() <= count) return;
  list.erase(list.begin(), list.end() - static_cast<std::ptrdiff_t>(count));
}

DecayedCount& count_of(Profile& profile, Verb verb) {
  auto at = lower(profile.counts, verb);
  if (at == profile.counts.end() || at->first != verb) {
    at = profile.counts.insert(at, {verb, DecayedCount()});
  }
  return at->second;
}

// Drops the category of the smallest 30 d sum; of equals, the first by name.
void evict_category(std::vector<std::pair<std::string, Affinity>>& categories) {
  Time now{};
  for (const auto& [name, affinity] : categories) {
    now = std::max({now, affinity.shown.as_of(), affinity.engaged.as_of()});
  }
  const auto sum = [now](const Affinity& a) { return a.shown.at(now)[3] + a.engaged.at(now)[3]; };
  const auto least =
      std::min_element(categories.begin(), categories.end(),
                       [&](const auto& a, const auto& b) { return sum(a.second) < sum(b.second); });
  if (least != categories.end()) categories.erase(least);
}

// The newcomer is not compared: else no new interest could ever enter a full profile.
Affinity& affinity_of(Profile& profile, std::string_view category) {
  const std::string name(category);
  auto at = lower(profile.categories, name);
  if (at != profile.categories.end() && at->first == name) return at->second;
  if (profile.categories.size() >= kCategoryCount) {
    evict_category(profile.categories);
    at = lower(profile.categories, name);
  }
  return profile.categories.insert(at, {name, Affinity()})->second;
}

void set_trait(Profile& profile, const std::string& name, std::string value) {
  auto at = lower(profile.traits, name);
  if (at != profile.traits.end() && at->first == name) {
    at->second = std::move(value);
  } else if (profile.traits.size() < kTraitCount) {
    profile.traits.insert(at, {name, std::move(value)});
  }
}

void merge_traits(Profile& profile, std::string_view json) {
  if (json.empty()) return;
  const simdjson::padded_string padded(json);
  simdjson::dom::parser parser;
  simdjson::dom::object object;
  if (parser.parse(padded).get(object)) return;
  for (const auto field : object) {
    std::string value = simdjson::minify(field.value);
    if (field.key.size() > kTraitBytes || value.size() > kTraitBytes) continue;
    set_trait(profile, std::string(field.key), std::move(value));
  }
}

void add_shown(Profile& profile, ItemKey item, std::string_view category, Time when) {
  profile.seen.emplace_back(item, when);
  keep_last(profile.seen, kSeenLength);
  if (!category.empty()) affinity_of(profile, category).shown.add(when);
}

void merge_into(Profile& sum, const Profile& one) {
  sum.position = std::max(sum.position, one.position);
  sum.denied_purposes |= one.denied_purposes;
  // Callers go by rising position: the later one wins, and keeps its places when there are too
  // many.
  auto earlier = std::exchange(sum.traits, one.traits);
  for (auto& [name, value] : earlier) {
    const auto at = lower(sum.traits, name);
    if (at != sum.traits.end() && at->first == name) continue;
    set_trait(sum, name, std::move(value));
  }
  for (const auto& [verb, count] : one.counts) count_of(sum, verb).merge(count);
  for (const auto& [name, affinity] : one.categories) {
    auto at = lower(sum.categories, name);
    if (at == sum.categories.end() || at->first != name) {
      at = sum.categories.insert(at, {name, Affinity()});
    }
    at->second.shown.merge(affinity.shown);
    at->second.engaged.merge(affinity.engaged);
  }
  sum.touches.insert(sum.touches.end(), one.touches.begin(), one.touches.end());
  sum.seen.insert(sum.seen.end(), one.seen.begin(), one.seen.end());
}

}  // namespace

bool is_engagement(Verb verb) {
  switch (verb) {
    case Verb::kClick:
    case Verb::kLike:
    case Verb::kComment:
    case Verb::kShare:
    case Verb::kFollow:
    case Verb::kCart:
    case Verb::kPurchase:
      return true;
    default:
      return false;
  }
}

void Profile::apply(const Event& event, std::string_view category, Position at) {
  if (at <= position) return;
  position = at;
  count_of(*this, event.verb).add(event.time);
  if (event.verb == Verb::kIdentify) merge_traits(*this, event.traits);
  if (is_engagement(event.verb) && !category.empty()) {
    affinity_of(*this, category).engaged.add(event.time);
  }
  if (event.item_id.empty()) return;
  const ItemKey item = item_key(event.item_id);
  if (event.verb == Verb::kImpression) add_shown(*this, item, category, event.time);
  if (event.verb == Verb::kView || is_engagement(event.verb)) {
    touches.push_back({item, event.verb, event.time});
    keep_last(touches, kSequenceLength);
  }
}

void Profile::mark_shown(ItemKey item, std::string_view category, Time when, Position at) {
  if (at < position) return;
  const std::pair<ItemKey, Time> mark(item, when);
  if (at == position && std::find(seen.begin(), seen.end(), mark) != seen.end()) return;
  position = at;
  add_shown(*this, item, category, when);
}

Profile merge(const std::vector<const Profile*>& identities) {
  if (identities.size() == 1) return *identities.front();
  auto ordered = identities;
  std::stable_sort(ordered.begin(), ordered.end(),
                   [](auto* a, auto* b) { return a->position < b->position; });
  Profile sum;
  for (const Profile* one : ordered) merge_into(sum, *one);
  while (sum.categories.size() > kCategoryCount) evict_category(sum.categories);
  std::stable_sort(sum.touches.begin(), sum.touches.end(),
                   [](const Touch& a, const Touch& b) { return a.time < b.time; });
  std::stable_sort(sum.seen.begin(), sum.seen.end(),
                   [](const auto& a, const auto& b) { return a.second < b.second; });
  keep_last(sum.touches, kSequenceLength);
  keep_last(sum.seen, kSeenLength);
  return sum;
}

}  // namespace attune
