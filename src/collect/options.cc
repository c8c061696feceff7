#include "collect/options.h"

namespace attune {

void bind(CollectSettings& settings, Config& config) {
  CollectOptions& limits = settings.limits;
  config.number("collect.max_message_bytes", limits.max_message_bytes, {256, 1 << 20}, "bytes",
                "Largest event; a larger one is rejected, the rest of its batch is kept.");
  config.number("collect.max_body_bytes", limits.max_body_bytes, {1024, 64 << 20}, "bytes",
                "Largest body of an event call, after unpacking.");
  config.number("collect.max_messages", limits.max_messages, {1, 100'000}, "",
                "Most events in one batch.");
  config.number("collect.max_depth", limits.max_depth, {4, 256}, "",
                "Deepest nesting of objects and arrays in a body.");
  config.number("collect.max_past_s", limits.max_past, {0, 4e9}, "s",
                "Events older than this are rejected.");
  config.number("collect.max_future_s", limits.max_future, {0, 4e9}, "s",
                "Events further ahead of the clock than this are rejected.");
  std::vector<std::string> verbs;
  for (auto v = static_cast<int>(Verb::kOther); v < static_cast<int>(Verb::kIdentify); ++v) {
    verbs.emplace_back(verb_name(static_cast<Verb>(v)));
  }
  config.table("collect.verbs", settings.verbs, verbs,
               "Own event names and what they mean, over the Segment names known already.");
}

EventMapping make_mapping(const ConfigTable& verbs) {
  EventMapping mapping;
  for (const auto& [name, verb] : verbs) {
    mapping.set(name, verb_from_name(verb).value_or(Verb::kOther));
  }
  return mapping;
}

}  // namespace attune
