#include "load/common.h"

#include <time.h>

#include <algorithm>
#include <cstdlib>

#include "load/feed.h"

namespace attune::load {
namespace {

constexpr std::uint64_t kItemsPerRequest = 1000;

void pause_20_ms() {
  const timespec time{.tv_sec = 0, .tv_nsec = 20'000'000};
  ::nanosleep(&time, nullptr);
}

}  // namespace

double metric(std::string_view metrics, std::string_view name) {
  for (auto at = metrics.find(name); at != std::string_view::npos;
       at = metrics.find(name, at + 1)) {
    const bool is_line = at == 0 || metrics[at - 1] == '\n';
    const auto end = at + name.size();
    if (is_line && end < metrics.size() && metrics[end] == ' ') {
      return std::strtod(metrics.data() + end, nullptr);
    }
  }
  return -1;
}

Result<std::string> ask(const Target& target, std::string_view method, std::string_view path,
                        std::string_view body) {
  TRY(Wire wire, Wire::connect(target.host, target.port, 1));
  return wire.call(method, path, target.key, body);
}

Result<double> wait_for_metric(const Target& target, std::string_view name, double wanted,
                               double seconds) {
  const Nanos until = now_ns() + static_cast<Nanos>(seconds * 1e9);
  while (true) {
    TRY(const std::string text, ask(target, "GET", "/metrics"));
    const double value = metric(text, name);
    if (value >= wanted || now_ns() > until) return value;
    pause_20_ms();
  }
}

Status put_items(const Target& target, std::uint64_t items) {
  TRY(Wire wire, Wire::connect(target.host, target.port, 1));
  for (std::uint64_t first = 0; first < items; first += kItemsPerRequest) {
    const std::uint64_t size = std::min(kItemsPerRequest, items - first);
    TRY_OK(wire.call("POST", "/api/v1/items", target.key, items_json(first, size)));
  }
  return ok_status();
}

Stages stages_of(const Target& target) {
  Stages stages;
  const auto metrics = ask(target, "GET", "/metrics");
  if (!metrics.ok()) return stages;
  for (const char* name : {"seal", "append", "fold", "tick", "checkpoint"}) {
    const auto key = "attune_stage_cpu_seconds_total{stage=\"" + std::string(name) + "\"}";
    stages[name] = std::max(0.0, metric(*metrics, key));
  }
  const Usage usage = usage_of(target.pid);
  const auto thread = [&](const char* name) {
    const auto found = usage.thread_s.find(name);
    return found == usage.thread_s.end() ? 0 : found->second;
  };
  // What the thread of requests does beside the engine's work: network, HTTP, JSON, checks.
  stages["receive_and_parse"] = thread("http") - stages["seal"] - stages["append"] - stages["fold"];
  stages["journal_write"] = thread("journal");
  return stages;
}

void write_stages(JsonWriter& json, const Stages& before, const Stages& after, double events) {
  json.key("cpu_us_per_event_by_stage").begin_object();
  for (const auto& [name, seconds] : after) {
    const auto found = before.find(name);
    json.field(name, 1e6 * (seconds - (found == before.end() ? 0 : found->second)) / events);
  }
  json.end_object();
}

Watch::Watch(const Target& target)
    : pid_(target.pid), server_(usage_of(target.pid)), client_(usage_of(0)) {}

void Watch::report(JsonWriter& json, std::string_view unit, double units, double seconds) const {
  const Usage client = usage_of(0);
  json.field("client_cpu_cores", (client.cpu_s() - client_.cpu_s()) / seconds);
  if (pid_ == 0) return;
  const Usage server = usage_of(pid_);
  const double used = server.cpu_s() - server_.cpu_s();
  json.field("server_cpu_cores", used / seconds);
  json.field("server_cpu_us_per_" + std::string(unit), 1e6 * used / units);
  json.field("server_user_us_per_" + std::string(unit),
             1e6 * (server.user_s - server_.user_s) / units);
  json.key("server_thread_us_per_" + std::string(unit)).begin_object();
  for (const auto& [name, spent] : server.thread_s) {
    const auto before = server_.thread_s.find(name);
    const double from = before == server_.thread_s.end() ? 0 : before->second;
    json.field(name, 1e6 * (spent - from) / units);
  }
  json.end_object();
  json.field("server_peak_mb", static_cast<double>(server.peak_bytes) / 1e6);
  json.field("server_resident_mb", static_cast<double>(server.resident_bytes) / 1e6);
  json.field("server_file_mb", static_cast<double>(server.file_bytes) / 1e6);
}

void write_latency(JsonWriter& json, const Histogram& histogram) {
  const auto ms = [&](double share) {
    return static_cast<double>(histogram.quantile(share)) / 1000;
  };
  json.field("p50_ms", ms(0.5)).field("p90_ms", ms(0.9)).field("p99_ms", ms(0.99));
  json.field("p999_ms", ms(0.999));
  json.field("max_ms", static_cast<double>(histogram.largest()) / 1000);
}

}  // namespace attune::load
