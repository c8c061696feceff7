#include "collect/segment.h"

#include <array>

#include "event/event_json.h"
#include "fuzz.h"

namespace attune {

// The body of a request, as sent; the first byte chooses the call. What is accepted is stored and
// read back, and says the same.
void fuzz_one(std::string_view input) {
  constexpr std::array<std::string_view, 8> kCalls = {"track", "identify", "page",  "screen",
                                                      "group", "alias",    "batch", "import"};
  if (input.empty()) return;
  const Time now = time_from_us(1'793'000'000'123'456);
  const auto call = kCalls[static_cast<unsigned char>(input[0]) % kCalls.size()];
  const auto parsed = parse_segment(call, input.substr(1), now, now);
  if (!parsed.ok()) return;
  CHECK(parsed->events.size() == parsed->indexes.size());
  for (Event event : parsed->events) {
    bool has_consent = false;
    (void)denied_purposes_of(event.context, has_consent);
    CHECK(!event.user_id.empty() || !event.anonymous_id.empty());
    std::string bytes;
    encode_event(event, {}, now, bytes);
    const auto stored = decode_event(bytes, now);
    CHECK(stored.ok());
    event.user_id.clear();
    event.anonymous_id.clear();
    event.previous_id.clear();
    CHECK(event_json(event) == event_json(stored->event));
  }
}

}  // namespace attune
