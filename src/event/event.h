// Event: who did what to which item, when. The form after parsing and checking, before identities
// are resolved to surrogates.
#pragma once
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "base/time.h"
#include "event/id.h"

namespace attune {

enum class Verb : std::uint8_t {
  kOther,
  kImpression,
  kView,
  kClick,
  kLike,
  kComment,
  kShare,
  kFollow,
  kSearch,
  kCart,
  kPurchase,
  kHide,
  kReport,
  kIdentify,
  kPage,
  kScreen,
  kGroup,
  kAlias,
};
inline constexpr std::size_t kVerbCount = 18;
std::string_view verb_name(Verb verb);  // "click"
std::optional<Verb> verb_from_name(std::string_view name);

struct Event {
  Verb verb = Verb::kOther;
  std::string type;        // Segment call: track identify page screen group alias
  std::string name;        // what the client called it: "Product Clicked"
  std::string message_id;  // dedup key; the engine makes one when the client sent none
  std::string user_id;     // at least one of user_id, anonymous_id
  std::string anonymous_id;
  std::string previous_id;  // alias only
  std::string item_id;      // properties.item_id or product_id
  std::string decision_id;  // properties.decision_id
  Time time{};              // event time, after skew correction
  double value = 0;         // properties.value, revenue or price; 0 when none
  std::string properties;   // JSON object text as sent, minified; empty = none
  std::string traits;       // JSON object text (identify, group); empty = none
  std::string context;      // JSON object text; empty = none
};

// What is sealed in the journal: everything but user_id, anonymous_id and previous_id, which are
// surrogates there. `received` shortens times.
//   other: second identity the event names (Surrogate{} = none)
struct StoredEvent {
  Event event;
  Surrogate other{};
};
void encode_event(const Event& event, Surrogate other, Time received, std::string& out);
Result<StoredEvent> decode_event(std::string_view bytes, Time received);
// The same without allocation once the strings of `out` have grown; after an error it is of no use.
Status decode_event(std::string_view bytes, Time received, StoredEvent& out);

// Several events of one identity, as an import stores them: begin_event_list, then each
// encode_event() after its length.
void begin_event_list(std::string& out);
class EventListReader {
 public:
  // payload: must outlive this.
  EventListReader(std::string_view payload, Time received);
  // False at the end. kCorrupt when the bytes are none.
  Result<bool> next(StoredEvent& out);

 private:
  std::string_view left_;
  Time received_;
  bool is_list_;
};

}  // namespace attune
