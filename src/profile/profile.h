// Profile: what is known of one identity, as the fold of its records: traits, consents, decayed
// counts, interests, last items. Pure: time is passed in, nothing locks. Bounded: at most
// kProfileBytes when encoded.
#pragma once
#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "event/event.h"
#include "event/id.h"
#include "profile/decayed_count.h"
#include "profile/interest.h"
#include "profile/traits.h"

namespace attune {

inline constexpr std::size_t kSequenceLength = 12;  // last touches kept per verb
inline constexpr std::size_t kSeenLength = 400;     // last shown items kept
inline constexpr std::size_t kInterestCount = 48;   // topics kept, besides "anything"
inline constexpr std::size_t kProfileBytes = 8192;

// A denied purpose keeps events out of what serves it. Denied storage: no event is kept at all.
enum class Purpose : std::uint8_t {
  kAnalytics = 1,
  kPersonalization = 2,
  kAdvertising = 4,
  kStorage = 8,
};

// What the caller knows of an event's item. No topics: it is in no catalog, or has no words.
struct ItemView {
  ItemKey key{};
  std::span<const Topic> topics = {};  // owned by the catalog
};

struct Touch {
  ItemKey item{};
  std::uint32_t time_s = 0;
  Verb verb{};
};

struct SeenMark {
  std::uint32_t item = 0;  // the low half of its key: of 400 marks, one lies in 10 million cases
  std::uint32_t time_s = 0;
  std::uint16_t waiting_p = 0;  // in 1/65535: not seen yet, p of an answer; 0 = seen
  bool is_answered = false;
};
constexpr std::uint32_t mark_of(ItemKey item) { return static_cast<std::uint32_t>(raw(item)); }

struct Profile {
  Position position = 0;             // last record folded in
  std::uint8_t denied_purposes = 0;  // bits: see Purpose
  Traits traits;
  std::vector<std::pair<Verb, DecayedCount>> counts;  // of events, sorted by verb
  DecayedCount shown, answered;     // items shown, those of them engaged with (once each)
  std::vector<Interest> interests;  // sorted by topic; topic 0 is "anything"
  std::vector<Touch> touches;       // viewed or engaged with: by verb, newest last
  std::vector<SeenMark> seen;       // newest last

  // Ignored when at <= position. The event's purposes are those of denied_purposes.
  void apply(const Event& event, const ItemView& item, Position at);
  // A further event of the record that was applied last.
  void apply_more(const Event& event, const ItemView& item);
  // An item of a decision. is_served: it counts as seen now, else when its impression event comes.
  // One record may mark many items: ignored when at < position, or the same mark is there already.
  void mark_shown(const ItemView& item, float p_click, bool is_served, Time when, Position at);
  bool denies(Purpose purpose) const {
    return (denied_purposes & static_cast<std::uint8_t>(purpose)) != 0;
  }
  const Interest* interest(std::uint32_t topic) const;  // null = nothing known
  void clear();                                         // keeps the vectors' capacity
  void encode(std::string& out) const;                  // appends; canonical
  // Replaces `out`; what it holds after an error is of no use. No allocation once `out` has grown.
  static Status decode(std::string_view bytes, Profile& out);
};

bool is_engagement(Verb verb);  // click like comment share follow cart purchase

// The items of all touches, oldest first, without hidden and reported ones; the last `limit`.
void recent_items(const Profile& profile, std::size_t limit, std::vector<ItemKey>& out);

// The profile of a person: the merge of the profiles of that person's identities.
Profile merge(const std::vector<const Profile*>& identities);

// Counts of one item, or of all.
struct Affinity {
  DecayedCount shown;
  DecayedCount engaged;
};

}  // namespace attune
