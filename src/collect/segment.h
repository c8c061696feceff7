// Segment HTTP tracking API (and RudderStack): request bodies to events.
#pragma once
#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "collect/mapping.h"
#include "event/event.h"

namespace attune {

// A message that was dropped while the rest of its request is kept.
struct Rejection {
  std::size_t index = 0;  // in the request, from 0
  std::string field;
  std::string reason;
};

struct ParsedBatch {
  std::vector<Event> events;
  std::vector<std::size_t> indexes;  // of each event in the request
  std::vector<Rejection> rejected;
  std::string write_key;  // from the body; empty = none
};

struct CollectOptions {
  std::size_t max_message_bytes = 32 << 10;
  std::size_t max_body_bytes = 500 << 10;
  std::size_t max_messages = 2500;
  std::size_t max_depth = 32;
  Duration max_past = std::chrono::hours(24 * 3650);
  Duration max_future = std::chrono::hours(24);
  const EventMapping* mapping = nullptr;  // not owned; null = default_event_mapping()
};

// An error refuses the whole request; a bad message is only rejected.
//   call: track identify page screen group alias batch import
//   received: the receipt clock, for skew correction and events without a time
//   now: the workspace clock, for the limits on event times
Result<ParsedBatch> parse_segment(std::string_view call, std::string_view body, Time received,
                                  Time now, const CollectOptions& options = {});

inline constexpr std::uint8_t kAnalyticsPurpose = 1;
inline constexpr std::uint8_t kPersonalizationPurpose = 2;
inline constexpr std::uint8_t kAdvertisingPurpose = 4;
inline constexpr std::uint8_t kStoragePurpose = 8;
// Purposes refused in context.consent.categoryPreferences: any value but true refuses.
//   has_consent: whether the context says anything about consent
std::uint8_t denied_purposes_of(std::string_view context_json, bool& has_consent);

}  // namespace attune
