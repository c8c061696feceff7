// /metrics in the text format of Prometheus.
#include <fmt/format.h>
#include <simdjson.h>
#include <unistd.h>

#include <fstream>
#include <vector>

#include "api/handlers.h"
#include "api/routes.h"

namespace attune {
namespace {

// Metrics by name, as the format wants all lines of one together. Lines written while a workspace
// is set carry its name.
class Page {
 public:
  void set_workspace(std::string_view name) {
    label_ = name.empty() ? "" : fmt::format("workspace=\"{}\"", name);
  }
  void head(std::string_view name, std::string_view type, std::string_view help) {
    for (std::size_t i = 0; i < families_.size(); ++i) {
      if (families_[i].name == name) return void(current_ = i);
    }
    current_ = families_.size();
    families_.push_back(
        {std::string(name), fmt::format("# HELP {0} {1}\n# TYPE {0} {2}\n", name, help, type)});
  }
  // Of the metric named last by head(), or of one of its parts.
  template <class T>
  void line(std::string_view name, std::string_view labels, T value) {
    const char* const comma = labels.empty() || label_.empty() ? "" : ",";
    const std::string all = fmt::format("{}{}{}", labels, comma, label_);
    families_[current_].lines += all.empty() ? fmt::format("{} {}\n", name, value)
                                             : fmt::format("{}{{{}}} {}\n", name, all, value);
  }
  template <class T>
  void one(std::string_view name, std::string_view type, std::string_view help, T value) {
    head(name, type, help);
    line(name, "", value);
  }
  std::string text() const {
    std::string out;
    for (const Family& family : families_) out += family.lines;
    return out;
  }

 private:
  struct Family {
    std::string name;
    std::string lines;
  };
  std::string label_;
  std::vector<Family> families_;
  std::size_t current_ = 0;
};

void write_counts(const EngineCounts& c, Page& page) {
  const auto counter = [&](std::string_view name, std::string_view help, std::uint64_t value) {
    page.one(name, "counter", help, value);
  };
  counter("attune_events_total", "Events stored since the start.", c.events);
  counter("attune_duplicate_events_total", "Events dropped: stored before.", c.duplicates);
  counter("attune_consent_dropped_events_total", "Events dropped: their person refuses storage.",
          c.dropped_by_consent);
  counter("attune_decisions_total", "Decisions answered since the start.", c.decisions);
  counter("attune_unrecorded_decisions_total", "Decisions the journal did not take.",
          c.unrecorded_decisions);
  counter("attune_ticks_total", "Ticks of the workspace.", c.ticks);
  counter("attune_checkpoints_total", "Checkpoints since the start.", c.checkpoints);
  counter("attune_model_updates_total", "Steps of the learner.", c.updates);
  counter("attune_drift_alarms_total", "Times the live learner's predictions got worse.",
          c.drift_alarms);
  counter("attune_erased_identities_total", "Identities erased since the start.", c.erased);
  const auto gauge = [&](std::string_view name, std::string_view help, std::uint64_t value) {
    page.one(name, "gauge", help, value);
  };
  gauge("attune_identities", "Identities with a key.", c.identities);
  gauge("attune_resident_profiles", "Profiles in memory.", c.profiles);
  gauge("attune_journal_bytes", "Journal on disk.", c.journal_bytes);
  gauge("attune_journal_records", "Records of the journal.", c.journal_records);
}

void write_stages(const StageTimes& stages, Page& page) {
  constexpr std::string_view kName = "attune_stage_cpu_seconds_total";
  page.head(kName, "counter", "CPU time by stage.");
  const std::pair<const char*, std::uint64_t> all[] = {{"seal", stages.seal_ns},
                                                       {"append", stages.append_ns},
                                                       {"fold", stages.fold_ns},
                                                       {"tick", stages.tick_ns},
                                                       {"checkpoint", stages.checkpoint_ns}};
  for (const auto& [stage, ns] : all) {
    page.line(kName, fmt::format("stage=\"{}\"", stage),
              fmt::format("{:.9f}", static_cast<double>(ns) / 1e9));
  }
}

void write_rejected(const Meters& meters, Page& page) {
  page.head("attune_rejected_events_total", "counter",
            "Events and bodies refused, by the field at fault.");
  for (const auto& [reason, n] : meters.rejected()) {
    page.line("attune_rejected_events_total", fmt::format("reason=\"{}\"", reason), n);
  }
}

void write_memory(const Engine& engine, Page& page) {
  page.head("attune_memory_bytes", "gauge", "Estimated memory by part.");
  for (const MemoryPart& part : engine.memory()) {
    page.line("attune_memory_bytes", fmt::format("part=\"{}\"", part.name), part.bytes);
  }
}

// Resident memory from /proc; nothing elsewhere.
void write_process(Page& page) {
  std::ifstream file("/proc/self/statm");
  std::uint64_t all = 0, resident = 0;
  if (!(file >> all >> resident)) return;
  page.one("process_resident_memory_bytes", "gauge", "Resident memory of the process.",
           resident * static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE)));
}

void write_model(const std::string& learning, Page& page) {
  simdjson::dom::parser parser;
  simdjson::dom::element root;
  simdjson::dom::object object;
  if (parser.parse(learning).get(root)) return;
  constexpr std::pair<const char*, const char*> kMeasures[] = {
      {"auc", "Progressive area under the ROC curve of the click model."},
      {"log_loss", "Progressive log loss of the click model."},
      {"base_log_loss", "Log loss of always saying the base rate."},
      {"base_rate", "Share of positives among the outcomes learned from."},
      {"calibration", "Sum of predictions over sum of clicks: 1 is calibrated."}};
  for (const auto& [name, help] : kMeasures) {
    double value = 0;
    if (root["progressive"][name].get(value)) continue;  // null: undefined yet
    page.one(fmt::format("attune_model_{}", name), "gauge", help, value);
  }
  if (root["policies"].get(object)) return;
  for (const auto& [count, help] :
       {std::pair("impressions", "Impressions of shown items by policy."),
        std::pair("clicks", "Shown items engaged with in their window, by policy.")}) {
    const std::string name = fmt::format("attune_policy_{}_total", count);
    page.head(name, "counter", help);
    for (const auto policy : object) {
      std::uint64_t n = 0;
      if (policy.value[count].get(n)) continue;
      page.line(name, fmt::format("policy=\"{}\"", policy.key), n);
    }
  }
}

std::string route_labels(const Route& route) {
  return fmt::format("method=\"{}\",route=\"{}\"", route.method, route.path);
}

void write_requests(const Meters& meters, Page& page) {
  constexpr std::string_view kName = "attune_http_requests_total";
  page.head(kName, "counter", "Requests answered, by route and class of status.");
  for (std::size_t i = 0; i < routes().size(); ++i) {
    for (std::size_t c = 2; c < 6; ++c) {
      const std::uint64_t n = meters.route(i).by_class[c];
      if (n == 0) continue;
      page.line(kName, fmt::format("{},status=\"{}xx\"", route_labels(routes()[i]), c), n);
    }
  }
}

void write_refused(const Meters& meters, Page& page) {
  constexpr std::string_view kName = "attune_http_refused_requests_total";
  page.head(kName, "counter", "Requests answered before they reached a route, by status.");
  for (const int status : {400, 408, 413, 415, 429, 431, 503}) {
    page.line(kName, fmt::format("status=\"{}\"", status), meters.refused(status));
  }
}

void write_durations(const Meters& meters, Page& page) {
  constexpr std::string_view kName = "attune_http_request_duration_seconds";
  page.head(kName, "histogram", "Time from the whole request to its answer, by route.");
  for (std::size_t i = 0; i < routes().size(); ++i) {
    const RouteMeter& meter = meters.route(i);
    const std::string labels = route_labels(routes()[i]);
    std::uint64_t n = 0;
    for (const auto& bucket : meter.buckets) n += bucket;
    if (n == 0) continue;
    n = 0;
    for (std::size_t b = 0; b < meter.buckets.size(); ++b) {
      n += meter.buckets[b];
      const std::string bound =
          b < kDurationBoundSeconds.size() ? fmt::format("{}", kDurationBoundSeconds[b]) : "+Inf";
      page.line(fmt::format("{}_bucket", kName), fmt::format("{},le=\"{}\"", labels, bound), n);
    }
    page.line(fmt::format("{}_sum", kName), labels, static_cast<double>(meter.sum_us) / 1e6);
    page.line(fmt::format("{}_count", kName), labels, n);
  }
}

void write_workspace(const Services& services, Page& page) {
  const EngineCounts counts = services.engine.counts();
  write_counts(counts, page);
  write_stages(counts.stages, page);
  write_rejected(services.meters, page);
  write_memory(services.engine, page);
  write_model(services.engine.learning_json(), page);
  write_requests(services.meters, page);
  write_durations(services.meters, page);
}

}  // namespace

HttpResponse metrics_page(std::span<const MeteredWorkspace> workspaces, const Meters& server) {
  Page page;
  for (const MeteredWorkspace& workspace : workspaces) {
    page.set_workspace(workspace.name);
    write_workspace(*workspace.services, page);
  }
  page.set_workspace("");
  write_process(page);
  write_refused(server, page);
  HttpResponse response;
  response.content_type = "text/plain; version=0.0.4; charset=utf-8";
  response.body = page.text();
  return response;
}

void show_metrics(const CallPtr& call) {
  const MeteredWorkspace all[] = {{"", call->services}};
  call->answer(metrics_page(all, call->services->meters));
}

}  // namespace attune
