// EventMapping: from what clients call their events to our verbs.
#pragma once
#include <string>
#include <string_view>
#include <unordered_map>

#include "event/event.h"

namespace attune {

class EventMapping {
 public:
  // The Segment e-commerce names, the usual social ones and the plain verb names.
  EventMapping();
  // Names are compared without regard to ASCII case.
  void set(std::string_view name, Verb verb);
  // kOther when nobody named it.
  Verb verb_of(std::string_view name) const;

 private:
  std::unordered_map<std::string, Verb> by_name_;  // lowercase
};

const EventMapping& default_event_mapping();
std::string ascii_lower(std::string_view text);

}  // namespace attune
