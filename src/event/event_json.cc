#include "event/event_json.h"

#include "base/json.h"

namespace attune {

std::string event_json(const Event& event) {
  std::string out;
  JsonWriter json(out);
  json.begin_object()
      .field("type", event.type)
      .field("event", event.name.empty() && event.type == "track" ? verb_name(event.verb)
                                                                  : std::string_view(event.name));
  json.field("message_id", event.message_id).field("timestamp", format_iso8601(event.time));
  json.key("properties").raw(event.properties.empty() ? "{}" : event.properties);
  // Imported events name their item beside the properties.
  if (!event.item_id.empty() && event.properties.find("_id\"") == std::string::npos) {
    json.field("item_id", event.item_id);
    if (!event.decision_id.empty()) json.field("decision_id", event.decision_id);
    if (event.value < 0 || event.value > 0) json.field("value", event.value);
  }
  if (!event.traits.empty()) json.key("traits").raw(event.traits);
  if (!event.context.empty()) json.key("context").raw(event.context);
  json.end_object();
  return out;
}

}  // namespace attune
