// Scale: many persons and items, loaded as fast as the server takes them; then its memory by part,
// and decisions for a sample of the persons.
#include <fmt/format.h>

#include "load/fill.h"
#include "load/measure.h"
#include "load/slate.h"

namespace attune::load {
namespace {

// "attune_memory_bytes{part="profiles"} 123" -> bytes and bytes per person by part.
void write_memory(JsonWriter& json, std::string_view metrics, double persons) {
  constexpr std::string_view kName = "attune_memory_bytes{";
  json.key("memory_bytes_per_person").begin_object();
  for (auto at = metrics.find(kName); at != std::string_view::npos;
       at = metrics.find(kName, at + 1)) {
    const auto open = metrics.find('"', at), close = metrics.find('"', open + 1);
    const auto value = metrics.find("} ", close);
    if (value == std::string_view::npos) break;
    json.field(metrics.substr(open + 1, close - open - 1),
               std::strtod(metrics.data() + value + 2, nullptr) / persons);
  }
  json.end_object();
}

}  // namespace

Result<std::string> measure_scale(const Target& target, const ScaleOptions& options) {
  const Nanos begin = now_ns();
  TRY_OK(put_items(target, options.items));
  const double items_seconds = static_cast<double>(now_ns() - begin) * 1e-9;
  std::fprintf(stderr, "%llu items in %.1f s\n", static_cast<unsigned long long>(options.items),
               items_seconds);
  const Stages stages = stages_of(target);
  const Watch watch(target);
  TRY(const Filled filled, fill(target,
                                {.persons = options.persons,
                                 .items = options.items,
                                 .batch = options.batch,
                                 .run = fresh_run()},
                                options.events, true));
  std::string out;
  JsonWriter json(out);
  const double persons = static_cast<double>(options.persons);
  const double events = static_cast<double>(filled.acknowledged);
  json.begin_object().field("measure", "scale").field("persons", options.persons);
  json.field("items", options.items).field("events", filled.acknowledged);
  json.field("items_seconds", items_seconds).field("seconds", filled.seconds);
  json.field("events_per_second", events / filled.seconds).field("sent_again", filled.again);
  watch.report(json, "event", events, filled.seconds);
  write_stages(json, stages, stages_of(target), events);
  TRY_OK(wait_for_metric(target, "attune_events_total", events, 10));
  const Usage usage = usage_of(target.pid);
  const double own = static_cast<double>(usage.peak_bytes - usage.file_bytes);
  json.field("peak_minus_file_mb", own / 1e6).field("peak_bytes_per_person", own / persons);
  TRY(const std::string metrics, ask(target, "GET", "/metrics"));
  write_memory(json, metrics, persons);
  json.field("journal_bytes_per_event", metric(metrics, "attune_journal_bytes") / events);

  TRY_OK(put_placement(target, "bench", 500));
  TRY(const Slates slates,
      ask_slates(target, {.per_second = 100,
                          .decisions = static_cast<std::uint64_t>(options.decisions),
                          .persons = options.persons,
                          .items = options.items,
                          .seed = fresh_run()}));
  json.key("decisions").begin_object();
  write_slates(json, slates);
  json.end_object();
  const Usage after = usage_of(target.pid);
  json.field("peak_minus_file_mb_after_decisions",
             static_cast<double>(after.peak_bytes - after.file_bytes) / 1e6);
  json.field("stored", metric(metrics, "attune_events_total")).end_object();
  if (slates.wrong == 0 && slates.lost == 0) return out;
  return Error{Code::kInternal, "wrong slates: " + out};
}

}  // namespace attune::load
