// Ingest: batches of events at a fixed rate; the acknowledgement is the durable one.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "load/fill.h"
#include "load/measure.h"

namespace attune::load {
namespace {

constexpr std::string_view kBatch = "/v1/batch";

struct Counted {
  Histogram latency;
  std::uint64_t acknowledged = 0, refused = 0, rejected = 0;
  Nanos last = 0;
  std::string first_fault;
};

void count(const Answer& answer, Nanos since, std::uint64_t events, Counted& counted) {
  const bool is_whole = answer.body.find("\"rejected\"") == std::string_view::npos;
  if (answer.status == 200 && is_whole) {
    counted.latency.add(static_cast<std::uint64_t>((answer.received - since) / 1000));
    counted.acknowledged += events;
    counted.last = answer.received;
    return;
  }
  (answer.status == 200 ? counted.rejected : counted.refused) += events;
  if (counted.first_fault.empty()) {
    counted.first_fault = fmt::format("{} {}", answer.status, answer.body.substr(0, 300));
  }
}

}  // namespace

Result<std::string> measure_ingest(const Target& target, const IngestOptions& options) {
  TRY_OK(put_items(target, options.items));
  TRY(Wire wire, Wire::connect(target.host, target.port, target.connections));
  TRY(const std::string before, ask(target, "GET", "/metrics"));
  // So that what is measured is the steady state: everyone was seen before.
  TRY(const Filled warm, fill(target,
                              {.persons = options.persons,
                               .items = options.items,
                               .batch = options.batch,
                               .seed = 2,
                               .run = fresh_run()},
                              options.persons));

  const Feed feed({.persons = options.persons,
                   .items = options.items,
                   .batch = options.batch,
                   .run = fresh_run()});
  Counted counted;
  const double per_second = options.rate / static_cast<double>(options.batch);
  Plan plan{.requests = static_cast<std::uint64_t>(std::ceil(per_second * options.seconds)),
            .per_second = per_second};
  std::string body;
  plan.write = [&](std::uint64_t request, std::string& out) {
    body.clear();
    feed.append_batch(request * options.batch, options.batch, time_text(), body);
    append_request(out, "POST", kBatch, target.key, body);
  };
  plan.answered = [&](const Answer& answer) {
    count(answer, answer.due, options.batch, counted);
    return false;
  };
  const Stages stages = stages_of(target);
  const Watch watch(target);
  TRY(const Played played, wire.play(plan));

  std::string out;
  JsonWriter json(out);
  const double acknowledged = static_cast<double>(counted.acknowledged);
  json.begin_object().field("measure", "ingest").field("offered_per_second", options.rate);
  json.field("achieved_per_second", acknowledged / played.seconds).field("seconds", played.seconds);
  json.field("batch", options.batch).field("event_bytes", feed.mean_event_bytes());
  json.field("acknowledged", counted.acknowledged).field("refused", counted.refused);
  json.field("rejected", counted.rejected).field("lost", played.lost * options.batch);
  write_latency(json, counted.latency);
  watch.report(json, "event", std::max(1.0, acknowledged), played.seconds);
  write_stages(json, stages, stages_of(target), std::max(1.0, acknowledged));

  const double wanted =
      metric(before, "attune_events_total") + static_cast<double>(warm.acknowledged) + acknowledged;
  TRY(const double stored, wait_for_metric(target, "attune_events_total", wanted, 5));
  TRY(const std::string after, ask(target, "GET", "/metrics"));
  const double records =
      metric(after, "attune_journal_bytes") - metric(before, "attune_journal_bytes");
  json.field("journal_bytes_per_event",
             records / (acknowledged + static_cast<double>(warm.acknowledged)));
  json.field("stored_is_acknowledged", stored == wanted).end_object();
  if (counted.refused == 0 && stored != wanted) {
    return Error{Code::kInternal, fmt::format("the server counts {} events, not the {} it "
                                              "acknowledged: {}",
                                              stored, wanted, out)};
  }
  if (!counted.first_fault.empty()) {
    std::fprintf(stderr, "first fault: %s\n", counted.first_fault.c_str());
  }
  return out;
}

}  // namespace attune::load
