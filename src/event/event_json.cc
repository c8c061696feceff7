#include "event/event_json.h"

#include "base/json.h"

namespace attune {

std::string event_json(const Event& event) {
  std::string out;
  JsonWriter json(out);
  json.begin_object().field("type", event.type).field("event", event.name);
  json.field("message_id", event.message_id).field("timestamp", format_iso8601(event.time));
  json.key("properties").raw(event.properties.empty() ? "{}" : event.properties);
  if (!event.traits.empty()) json.key("traits").raw(event.traits);
  if (!event.context.empty()) json.key("context").raw(event.context);
  json.end_object();
  return out;
}

}  // namespace attune
