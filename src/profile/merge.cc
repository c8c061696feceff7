// The merge of identities into a person: counts add up, of traits the later wins, lists are joined
// by time.
#include <algorithm>

#include "profile/profile.h"

namespace attune {
namespace {

void merge_traits(Traits& sum, const Traits& later) {
  // The later one keeps its places when there are too many.
  const Traits earlier = std::exchange(sum, later);
  for (const auto& [name, value] : earlier) {
    if (sum.find(name).empty()) sum.set(name, value);
  }
}

void merge_counts(Profile& sum, const Profile& one) {
  for (const auto& [verb, count] : one.counts) {
    auto at = std::lower_bound(sum.counts.begin(), sum.counts.end(), verb,
                               [](const auto& entry, Verb v) { return entry.first < v; });
    if (at == sum.counts.end() || at->first != verb) {
      at = sum.counts.insert(at, {verb, DecayedCount()});
    }
    at->second.merge(count);
  }
  sum.shown.merge(one.shown);
  sum.answered.merge(one.answered);
}

void merge_interests(Profile& sum, const Profile& one) {
  for (const Interest& interest : one.interests) {
    const auto at =
        std::lower_bound(sum.interests.begin(), sum.interests.end(), interest.topic,
                         [](const Interest& i, std::uint32_t topic) { return i.topic < topic; });
    if (at != sum.interests.end() && at->topic == interest.topic) {
      *at = merge(*at, interest);
    } else {
      sum.interests.insert(at, interest);
    }
  }
}

// The surest kInterestCount, besides "anything".
void limit_interests(std::vector<Interest>& all) {
  const std::size_t anything = !all.empty() && all[0].topic == 0 ? 1 : 0;
  if (all.size() - anything <= kInterestCount) return;
  std::uint32_t hour = 0;
  for (const Interest& one : all) hour = std::max(hour, one.as_of_h);
  std::stable_sort(all.begin() + static_cast<std::ptrdiff_t>(anything), all.end(),
                   [hour](const Interest& a, const Interest& b) {
                     return a.at(hour).variance_q < b.at(hour).variance_q;
                   });
  all.resize(anything + kInterestCount);
  std::sort(all.begin(), all.end(),
            [](const Interest& a, const Interest& b) { return a.topic < b.topic; });
}

void limit_touches(std::vector<Touch>& all) {
  std::stable_sort(all.begin(), all.end(), [](const Touch& a, const Touch& b) {
    return a.verb != b.verb ? a.verb < b.verb : a.time_s < b.time_s;
  });
  std::size_t kept = 0;
  for (std::size_t i = 0; i < all.size(); ++i) {
    const std::size_t later = i + kSequenceLength;
    if (later < all.size() && all[later].verb == all[i].verb) continue;
    all[kept++] = all[i];
  }
  all.resize(kept);
}

void limit_seen(std::vector<SeenMark>& all) {
  std::stable_sort(all.begin(), all.end(),
                   [](const SeenMark& a, const SeenMark& b) { return a.time_s < b.time_s; });
  if (all.size() > kSeenLength) {
    all.erase(all.begin(), all.end() - static_cast<std::ptrdiff_t>(kSeenLength));
  }
}

void merge_into(Profile& sum, const Profile& one) {
  sum.position = std::max(sum.position, one.position);
  sum.denied_purposes |= one.denied_purposes;
  merge_traits(sum.traits, one.traits);
  merge_counts(sum, one);
  merge_interests(sum, one);
  sum.touches.insert(sum.touches.end(), one.touches.begin(), one.touches.end());
  sum.seen.insert(sum.seen.end(), one.seen.begin(), one.seen.end());
}

}  // namespace

Profile merge(const std::vector<const Profile*>& identities) {
  if (identities.size() == 1) return *identities.front();
  auto ordered = identities;
  std::stable_sort(ordered.begin(), ordered.end(),
                   [](auto* a, auto* b) { return a->position < b->position; });
  Profile sum;
  for (const Profile* one : ordered) merge_into(sum, *one);
  limit_interests(sum.interests);
  limit_touches(sum.touches);
  limit_seen(sum.seen);
  return sum;
}

}  // namespace attune
