// What the measurements share: the server under test, its counters, and how a report is written.
#pragma once
#include <map>
#include <string>
#include <string_view>

#include "base/json.h"
#include "base/result.h"
#include "load/histogram.h"
#include "load/process.h"
#include "load/wire.h"

namespace attune::load {

struct Target {
  std::string host = "127.0.0.1";
  std::uint16_t port = 8090;
  std::string key = "bench";  // a key with every scope
  int pid = 0;                // of the server, for its processor time and memory; 0 = not measured
  std::size_t connections = 32;
};

// A run of numbers in /metrics by name, labels included; -1 when absent.
double metric(std::string_view metrics, std::string_view name);

// One answer that must be 200, over a connection of its own.
Result<std::string> ask(const Target& target, std::string_view method, std::string_view path,
                        std::string_view body = "");
// Polls /metrics until the value is reached or the time is over; the last value.
Result<double> wait_for_metric(const Target& target, std::string_view name, double wanted,
                               double seconds);
Status put_items(const Target& target, std::uint64_t items);

// CPU seconds of the server by what it was spent on.
using Stages = std::map<std::string, double>;
Stages stages_of(const Target& target);
// cpu_us_per_event_by_stage of the stretch between two readings.
void write_stages(JsonWriter& json, const Stages& before, const Stages& after, double events);

// Server time and memory over a stretch of work, into a report.
class Watch {
 public:
  explicit Watch(const Target& target);
  // server_cpu_us_per_<unit>, server_cpu_cores, client_cpu_cores, and the server's memory.
  void report(JsonWriter& json, std::string_view unit, double units, double seconds) const;

 private:
  int pid_;
  Usage server_, client_;
};

void write_latency(JsonWriter& json, const Histogram& histogram);  // p50_ms ... max_ms

}  // namespace attune::load
