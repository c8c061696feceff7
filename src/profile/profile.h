// What is known of one identity and of one item: decayed counters, last items, traits. Pure folds:
// time is passed in, nothing locks.
#pragma once
#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "event/event.h"
#include "event/id.h"

namespace attune {

// Counts that fade with half-lives of 1 h, 24 h, 7 d and 30 d.
class DecayedCount {
 public:
  // A late event adds what would be left of it.
  void add(Time when, float amount = 1);
  // Never grows: before the last event it is as of that event.
  std::array<float, 4> at(Time now) const;
  Time as_of() const { return as_of_; }
  // Adds the other's events as if they had been added here.
  void merge(const DecayedCount& other);
  void encode(std::string& out) const;
  static DecayedCount decode(class Reader& in);

 private:
  std::array<float, 4> left_{};
  Time as_of_{};
};

struct Touch {
  ItemKey item{};
  Verb verb{};
  Time time{};
};

struct Affinity {  // of a person to a category, or an item's own counts
  DecayedCount shown;
  DecayedCount engaged;  // click like comment share follow cart purchase
};

inline constexpr std::size_t kSequenceLength = 20;  // last touches kept per identity
inline constexpr std::size_t kSeenLength = 512;     // last shown items kept per identity
inline constexpr std::size_t kCategoryCount = 32;   // categories kept per identity
inline constexpr std::size_t kTraitCount = 64;      // traits kept per identity
inline constexpr std::size_t kTraitBytes = 256;     // longer trait names or values are left out

// Fold of one identity's records.
struct Profile {
  Position position = 0;                                     // last record folded in
  std::vector<std::pair<std::string, std::string>> traits;   // name, JSON text of value; sorted
  std::uint8_t denied_purposes = 0;                          // bits: see Purpose
  std::vector<std::pair<Verb, DecayedCount>> counts;         // sorted by verb
  std::vector<std::pair<std::string, Affinity>> categories;  // sorted by name
  std::vector<Touch> touches;                                // engaged or viewed, newest last
  std::vector<std::pair<ItemKey, Time>> seen;                // shown, newest last

  // category: of the event's item, "" = unknown. Ignored when at <= position.
  void apply(const Event& event, std::string_view category, Position at);
  // One record may mark many items: ignored when at < position, or the same mark is there already.
  void mark_shown(ItemKey item, std::string_view category, Time when, Position at);
  void encode(std::string& out) const;  // canonical
  static Result<Profile> decode(std::string_view bytes);
};

enum class Purpose : std::uint8_t { kAnalytics = 1, kPersonalization = 2, kAdvertising = 4 };
bool is_engagement(Verb verb);

// The profile of a person: the merge of the profiles of that person's identities.
Profile merge(const std::vector<const Profile*>& identities);

}  // namespace attune
