#include "cli/train_record.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <filesystem>

#include "base/command_line.h"
#include "base/file.h"
#include "base/time.h"
#include "base/version.h"
#include "format/event_formats.h"
#include "learn/event_file.h"
#include "learn/run_log.h"

namespace attune {
namespace {

constexpr std::array<std::string_view, 8> kOfNoConcern = {
    "output", "json", "runs", "tensorboard", "server", "promote", "register", "weights"};

// The file's, or none of a pipe or a workspace.
std::string data_hash(const std::string& file) {
  std::error_code error;
  if (!std::filesystem::is_regular_file(file, error)) return "";
  const auto digest = digest_of({file});
  return digest.ok() ? *digest : "";
}

// The first head's have their plain names.
void add_head(const HeadReport& head, Run& run) {
  for (const char* name : {"auc", "log_loss", "base_rate"}) {
    const Measure* const measure = find_measure(head.measures, name);
    if (measure == nullptr || !measure->value) continue;
    run.metrics.emplace_back(fmt::format("{}/{}", name, head.target), *measure->value);
  }
}

Run run_of(const RecordOptions& options, const TrainedModel& made, Time now) {
  const TrainReport& report = made.report;
  const KindReport& best = report.kinds.front();
  Run run{.id = {},
          .time = format_iso8601(now),
          .version = std::string(kVersion),
          .file = report.file,
          .data_hash = data_hash(report.file),
          .kind = best.kind,
          .model_id = report.model_id,
          .output = report.output,
          .seconds = report.seconds,
          .parameters = options.given,
          .metrics = {}};
  const auto set = [&run](const std::string& name, std::string value) {
    const auto is_named = [&](const auto& one) { return one.first == name; };
    std::erase_if(run.parameters, is_named);
    run.parameters.emplace_back(name, std::move(value));
  };
  const ModelOptions& model = made.trained.model->options();
  set("kind", best.kind);
  set("passes", fmt::format("{}", best.passes));
  set("seed", fmt::format("{}", model.seed));
  if (report.table.capacity > 0) set("bits", fmt::format("{}", model.bits));
  std::erase_if(run.parameters, [](const auto& one) { return one.first == "set"; });
  for (const auto& [name, value] : model.settings) set(name, fmt::format("{}", value));
  for (const Measure& measure : best.measures) {
    if (measure.value) run.metrics.emplace_back(measure.name, *measure.value);
  }
  for (std::size_t i = 1; best.joint && i < best.joint->heads.size(); ++i) {
    add_head(best.joint->heads[i], run);
  }
  if (const auto error = best.calibration.after.error()) run.metrics.emplace_back("ece", *error);
  run.id = run_id(run);
  return run;
}

// A table of the parameters; | would end a cell.
std::string markdown_of(const Run& run) {
  std::string out =
      fmt::format("model {}, {}\n\n|parameter|value|\n|---|---|\n", run.model_id, run.time);
  for (const auto& [name, value] : run.parameters) {
    std::string safe = value;
    std::replace(safe.begin(), safe.end(), '|', '/');
    out += fmt::format("|{}|{}|\n", name, safe);
  }
  return out;
}

// A tag has no spaces: "fm, fold 2" -> "fm_fold_2".
std::string tag_of(std::string_view stage) {
  std::string out;
  for (const char c : stage) {
    if (c == ' ') out += '_';
    if (c != ' ' && c != ',') out += c;
  }
  return out;
}

std::string events_of(const Run& run, const TrainReport& report, const TrainingCurve& curve,
                      double wall_time) {
  EventFile file(wall_time);
  for (const auto& [stage, points] : curve.stages()) {
    for (const TrainingCurve::Point& point : points) {
      file.scalar("loss/" + tag_of(stage), static_cast<std::int64_t>(point.rows), point.loss);
    }
  }
  const auto by_pass = [&](const std::string& tag, const std::vector<double>& losses) {
    for (std::size_t i = 0; i < losses.size(); ++i) {
      file.scalar(tag, static_cast<std::int64_t>(i + 1), losses[i]);
    }
  };
  for (const KindReport& kind : report.kinds) {
    by_pass("pass_loss/" + kind.kind, kind.losses);
    by_pass("validation_loss/" + kind.kind, kind.validations);
  }
  for (const auto& [name, value] : run.metrics) file.scalar("metrics/" + name, 0, value);
  for (const auto& [name, value] : run.parameters) {
    char* end = nullptr;
    const double number = std::strtod(value.c_str(), &end);
    if (!value.empty() && *end == '\0') file.scalar("hparams/" + name, 0, number);
  }
  file.text("run", markdown_of(run));
  return file.bytes();
}

}  // namespace

std::vector<std::pair<std::string, std::string>> given_options(const Command& command) {
  std::vector<std::pair<std::string, std::string>> out;
  for (const auto& [name, values] : command.given()) {
    const bool is_of_no_concern =
        std::find(kOfNoConcern.begin(), kOfNoConcern.end(), name) != kOfNoConcern.end();
    if (!is_of_no_concern) out.emplace_back(name, fmt::format("{}", fmt::join(values, ",")));
  }
  return out;
}

Result<std::string> record_run(const RecordOptions& options, const TrainedModel& made,
                               const TrainingCurve& curve) {
  if (options.runs.empty() && options.tensorboard.empty()) return std::string();
  const auto now = std::chrono::time_point_cast<Duration>(std::chrono::system_clock::now());
  const Run run = run_of(options, made, now);
  if (!options.runs.empty()) TRY_OK(append_run(options.runs, run));
  if (options.tensorboard.empty()) return run.id;
  const double wall_time = static_cast<double>(to_us(now)) / 1e6;
  const std::string folder = options.tensorboard + "/" + run.id;
  std::error_code ignored;
  std::filesystem::create_directories(folder, ignored);
  const std::string bytes = events_of(run, made.report, curve, wall_time);
  const std::string path = fmt::format("{}/events.out.tfevents.{:.0f}.attune", folder, wall_time);
  const std::string_view parts[] = {bytes};
  TRY_OK(store_file(path, parts));
  return run.id;
}

}  // namespace attune
