#include "event/event.h"

#include "fuzz.h"

namespace attune {

// What decodes encodes to what decodes to the same.
void fuzz_one(std::string_view input) {
  constexpr Time kReceived{};
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
