#include "event/event.h"

#include "fuzz.h"

namespace attune {

// What decodes encodes to what decodes to the same; a list of events ends.
void fuzz_one(std::string_view input) {
  constexpr Time kReceived{};
  StoredEvent listed;
  EventListReader list(input, kReceived);
  for (auto more = list.next(listed); more.ok() && *more;) more = list.next(listed);
  const auto stored = decode_event(input, kReceived);
  if (!stored.ok()) return;
  std::string once, twice;
  encode_event(stored->event, stored->other, kReceived, once);
  const auto again = decode_event(once, kReceived);
  CHECK(again.ok());
  encode_event(again->event, again->other, kReceived, twice);
  CHECK(once == twice);
}

}  // namespace attune
