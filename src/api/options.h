// The settings of the routes; those of the HTTP server itself are HttpOptions.
#pragma once
#include <cstdint>
#include <functional>
#include <string>

#include "base/config.h"
#include "collect/segment.h"

namespace attune {

struct ApiOptions {
  CollectOptions collect = {};
  bool is_event_clock = false;  // then event times are taken as they come, however far apart
  // Of each key, except those with the scope admin; 0 = no limit.
  double requests_per_s = 10'000;
  double events_per_s = 200'000;
  double rate_burst_s = 2;             // so many seconds of a rate may come at once
  std::string cors_origins = "*";      // of pages that may send events, by spaces; * = any
  std::string backup_folder = {};      // POST /api/v1/backup writes in it; "" = refused
  std::int64_t slow_request_ms = 500;  // slower ones are logged; 0 = none; as LogOptions has it
  std::function<double()> clock_s = nullptr;  // null = steady clock
};
// Rows of [api]. Must outlive the config.
void bind(ApiOptions& options, Config& config);

}  // namespace attune
