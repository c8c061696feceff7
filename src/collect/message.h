// One Segment message, already parsed as JSON, to one Event. Internal to collect.
#pragma once
#include <simdjson.h>

#include <optional>
#include <string>

#include "collect/segment.h"

namespace attune {

struct Fault {
  std::string field;
  std::string reason;
};

// What all messages of a request share.
struct MessageFrame {
  std::string_view call;                         // empty: take it from the message's "type"
  std::optional<simdjson::dom::object> context;  // merged into that of each message
  std::optional<Time> sent_at;
  Time received{};
  Time now{};
  const CollectOptions& options;
};

using JsonObject = simdjson::dom::object;

// A time at `name`; nothing when absent or null. A fault when it is not an ISO-8601 text.
std::optional<Fault> read_time_field(JsonObject object, const char* name, std::optional<Time>& out);
// A JSON object as minified text; empty when absent, null or {}.
std::optional<Fault> read_object_field(JsonObject object, const char* name, std::string& out);
// False when absent or null.
bool find_field(JsonObject object, std::string_view name, simdjson::dom::element& out);

std::optional<Fault> parse_message(JsonObject message, const MessageFrame& frame, Event& event);

}  // namespace attune
