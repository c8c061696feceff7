#include "profile/profile.h"

#include <simdjson.h>

#include <algorithm>
#include <cmath>

namespace attune {
namespace {

constexpr float kUnknownRate = 0.05F;  // expected of an item shown without a decision

template <class T>
void keep_last(std::vector<T>& list, std::size_t count) {
  if (list.size() <= count) return;
  list.erase(list.begin(), list.end() - static_cast<std::ptrdiff_t>(count));
}

DecayedCount& count_of(Profile& profile, Verb verb) {
  auto& counts = profile.counts;
  auto at = std::lower_bound(counts.begin(), counts.end(), verb,
                             [](const auto& entry, Verb v) { return entry.first < v; });
  if (at == counts.end() || at->first != verb) at = counts.insert(at, {verb, DecayedCount()});
  return at->second;
}

auto place_of(std::vector<Interest>& interests, std::uint32_t topic) {
  return std::lower_bound(interests.begin(), interests.end(), topic,
                          [](const Interest& i, std::uint32_t t) { return i.topic < t; });
}

// Drops the least sure one, "anything" never. All of them are as of the same hour first, else an
// old belief would look surer than it is.
void evict_interest(std::vector<Interest>& interests) {
  std::uint32_t hour = 0;
  for (const Interest& one : interests) hour = std::max(hour, one.as_of_h);
  const auto key = [hour](const Interest& one) {
    const Interest now = one.at(hour);
    return std::pair(-int{now.variance_q}, std::abs(int{now.mean_q}));
  };
  const auto begin = interests.begin() + (!interests.empty() && interests[0].topic == 0 ? 1 : 0);
  const auto least = std::min_element(
      begin, interests.end(), [&](const auto& a, const auto& b) { return key(a) < key(b); });
  if (least != interests.end()) interests.erase(least);
}

bool is_full(const std::vector<Interest>& interests) {
  const std::size_t anything = !interests.empty() && interests[0].topic == 0 ? 1 : 0;
  return interests.size() - anything >= kInterestCount;
}

// Brought to the hour. The newcomer is not compared: else no new interest could enter a full
// profile.
Interest& interest_of(Profile& profile, std::uint32_t topic, std::uint32_t hour) {
  auto& all = profile.interests;
  auto at = place_of(all, topic);
  if (at == all.end() || at->topic != topic) {
    if (topic != 0 && is_full(all)) {
      evict_interest(all);
      at = place_of(all, topic);
    }
    at = all.insert(at, {.topic = topic, .as_of_h = hour});
  }
  *at = at->at(hour);
  return *at;
}

template <class Update>
void for_topics(Profile& profile, const ItemView& item, std::uint32_t hour, const Update& update) {
  update(interest_of(profile, 0, hour), 1.0F);
  for (const Topic& topic : item.topics) {
    if (topic.id != 0) update(interest_of(profile, topic.id, hour), topic.weight);
  }
}

void learn_shown(Profile& profile, const ItemView& item, float p, std::uint32_t hour) {
  float total = 0;
  for_topics(profile, item, hour, [&](Interest& interest, float weight) {
    total += weight * weight * interest.variance();
  });
  for_topics(profile, item, hour,
             [&](Interest& interest, float weight) { add_shown(interest, weight, p, total); });
}

void learn_answer(Profile& profile, const ItemView& item, std::uint32_t hour) {
  for_topics(profile, item, hour,
             [](Interest& interest, float weight) { add_answer(interest, weight); });
}

SeenMark* find_mark(Profile& profile, ItemKey item) {
  const std::uint32_t wanted = mark_of(item);
  for (auto mark = profile.seen.rbegin(); mark != profile.seen.rend(); ++mark) {
    if (mark->item == wanted) return &*mark;
  }
  return nullptr;
}

void see(Profile& profile, const ItemView& item, float p, std::uint32_t time_s) {
  profile.shown.add(time_from_seconds(time_s));
  if (!profile.denies(Purpose::kPersonalization)) {
    learn_shown(profile, item, p, whole_hours(time_s));
  }
}

void see_waiting(Profile& profile, const ItemView& item, SeenMark& mark, std::uint32_t time_s) {
  if (mark.waiting_p == 0) return;
  const float p = static_cast<float>(mark.waiting_p) / 65535;
  mark.waiting_p = 0;
  see(profile, item, p, time_s);
}

void on_impression(Profile& profile, const ItemView& item, std::uint32_t time_s) {
  SeenMark* mark = find_mark(profile, item.key);
  if (mark != nullptr && mark->waiting_p != 0) return see_waiting(profile, item, *mark, time_s);
  profile.seen.push_back({mark_of(item.key), time_s, 0, false});
  keep_last(profile.seen, kSeenLength);
  see(profile, item, kUnknownRate, time_s);
}

// Once per item shown; an engagement with an item never shown is an answer to nothing expected.
void on_engagement(Profile& profile, const ItemView& item, std::uint32_t time_s) {
  SeenMark* mark = find_mark(profile, item.key);
  if (mark != nullptr) {
    see_waiting(profile, item, *mark, time_s);
    if (mark->is_answered) return;
    mark->is_answered = true;
    profile.answered.add(time_from_seconds(time_s));
  }
  if (profile.denies(Purpose::kPersonalization)) return;
  if (mark == nullptr) learn_shown(profile, item, kUnknownRate, whole_hours(time_s));
  learn_answer(profile, item, whole_hours(time_s));
}

void touch(Profile& profile, ItemKey item, Verb verb, std::uint32_t time_s) {
  auto& all = profile.touches;
  const auto end = std::upper_bound(all.begin(), all.end(), verb,
                                    [](Verb v, const Touch& one) { return v < one.verb; });
  const auto at = all.insert(end, {item, time_s, verb});
  const auto begin = std::lower_bound(all.begin(), all.end(), verb,
                                      [](const Touch& one, Verb v) { return one.verb < v; });
  if (static_cast<std::size_t>(at - begin) >= kSequenceLength) all.erase(begin);
}

bool is_touch(Verb verb) {
  return verb == Verb::kView || verb == Verb::kHide || verb == Verb::kReport || is_engagement(verb);
}

void read_traits(Profile& profile, std::string_view json) {
  if (json.empty()) return;
  const simdjson::padded_string padded(json);
  simdjson::dom::parser parser;
  simdjson::dom::object object;
  if (parser.parse(padded).get(object)) return;
  for (const auto field : object) {
    profile.traits.set(field.key, std::string(simdjson::minify(field.value)));
  }
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

void Profile::apply(const Event& event, const ItemView& item, Position at) {
  if (at <= position) return;
  position = at;
  apply_more(event, item);
}

void Profile::apply_more(const Event& event, const ItemView& item) {
  if (denies(Purpose::kStorage)) return;
  const bool is_personal = !denies(Purpose::kPersonalization);
  const std::uint32_t time_s = std::max(whole_seconds(event.time), 1U);
  if (!denies(Purpose::kAnalytics)) count_of(*this, event.verb).add(event.time);
  if (event.verb == Verb::kIdentify && is_personal) read_traits(*this, event.traits);
  if (event.item_id.empty()) return;
  if (event.verb == Verb::kImpression) on_impression(*this, item, time_s);
  if (is_engagement(event.verb)) on_engagement(*this, item, time_s);
  if (!is_personal || !is_touch(event.verb)) return;
  touch(*this, item.key, event.verb, time_s);
  // "Less of this": an answer that was certain did not come.
  if (event.verb == Verb::kHide) learn_shown(*this, item, 1, whole_hours(time_s));
}

void Profile::mark_shown(const ItemView& item, float p_click, bool is_served, Time when,
                         Position at) {
  if (at < position) return;
  const std::uint32_t time_s = std::max(whole_seconds(when), 1U);
  if (at == position && std::any_of(seen.begin(), seen.end(), [&](const SeenMark& mark) {
        return mark.item == mark_of(item.key) && mark.time_s == time_s;
      })) {
    return;
  }
  position = at;
  const float p = std::isfinite(p_click) ? std::clamp(p_click, 1e-4F, 1.0F) : kUnknownRate;
  const auto waiting = static_cast<std::uint16_t>(is_served ? 0 : std::lround(p * 65535));
  seen.push_back({mark_of(item.key), time_s, waiting, false});
  keep_last(seen, kSeenLength);
  if (is_served) see(*this, item, p, time_s);
}

const Interest* Profile::interest(std::uint32_t topic) const {
  const auto at = std::lower_bound(interests.begin(), interests.end(), topic,
                                   [](const Interest& i, std::uint32_t t) { return i.topic < t; });
  return at != interests.end() && at->topic == topic ? &*at : nullptr;
}

void recent_items(const Profile& profile, std::size_t limit, std::vector<ItemKey>& out) {
  std::array<const Touch*, kVerbCount * kSequenceLength> order{};
  std::size_t n = 0;
  for (const Touch& one : profile.touches) {
    if (one.verb == Verb::kHide || one.verb == Verb::kReport || n == order.size()) continue;
    order[n++] = &one;
  }
  const auto end = order.begin() + static_cast<std::ptrdiff_t>(n);
  std::sort(order.begin(), end, [](const Touch* a, const Touch* b) {
    return a->time_s != b->time_s ? a->time_s < b->time_s : a < b;
  });
  out.clear();
  for (std::size_t i = n > limit ? n - limit : 0; i < n; ++i) out.push_back(order[i]->item);
}

}  // namespace attune
