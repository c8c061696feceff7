#include "engine/retraining.h"

#include <fmt/format.h>
#include <simdjson.h>

#include <algorithm>
#include <filesystem>
#include <optional>

#include "base/child.h"
#include "base/process.h"
#include "learn/trained.h"
#include "model/item_factors.h"

namespace attune {
namespace {

constexpr auto kLook = std::chrono::seconds(1);  // between two looks at the clock
constexpr double kRetryS = 3600;                 // after a failure, when that is sooner
constexpr double kBetweenDriftsS = 3600;         // from any training to one that drift asks for
constexpr const char* kBy = "schedule";

bool is_ours(const ModelVersion& version) {
  simdjson::dom::parser parser;
  simdjson::dom::element root;
  std::string_view by;
  return !parser.parse(version.about).get(root) && !root["by"].get(by) && by == kBy;
}

// The message of its last line "attune: ...": what it ended of.
std::string said_last(std::string_view text) {
  constexpr std::string_view kMark = "attune: ";
  const auto at = text.rfind(kMark);
  if (at == std::string_view::npos) return "";
  text.remove_prefix(at + kMark.size());
  return std::string(text.substr(0, text.find('\n')));
}

// What of the report is read here.
struct Verdict {
  bool can_be_promoted = false;
  std::string reason;
  std::optional<double> log_loss;  // of what is tested on rows
  double seconds = 0;
};

// Where another kind draws or ranks, the name means something else.
std::string why_not_in_place_of(const RegisteredModel& model, const ModelVersion& version) {
  const ModelVersion* const promoted = model.promoted();
  if (promoted == nullptr || promoted->input == version.input) return "";
  return fmt::format("version {} is promoted, which is of kind {}", promoted->number,
                     promoted->kind);
}

// Of a model of verbs: the same verbs again, which count as much, by its kind.
void learn_the_same(const ModelOptions& promoted, std::vector<std::string>& arguments) {
  const auto add = [&](const char* option, std::string value) {
    arguments.emplace_back(option);
    arguments.push_back(std::move(value));
  };
  const std::vector<TaskOptions>& verbs = promoted.tasks;
  add("--kind", promoted.kind);
  add("--target", verbs.front().name);
  for (std::size_t i = 1; i < verbs.size(); ++i) add("--also", verbs[i].name);
  for (const TaskOptions& verb : verbs) {
    if (verbs.size() > 1) add("--weight-of", fmt::format("{}={}", verb.name, verb.weight));
  }
  const SecondLossOptions& second = promoted.second_loss;
  if (!second.name.empty()) add("--second-loss", fmt::format("{}={}", second.name, second.weight));
}

Result<Verdict> verdict_of(const std::string& report) {
  simdjson::dom::parser parser;
  simdjson::dom::element root;
  Verdict out;
  std::string_view reason;
  if (parser.parse(report).get(root) || root["can_be_promoted"].get(out.can_be_promoted) ||
      root["not_promoted_because"].get(reason)) {
    return Error{Code::kInternal, "the report of a training makes no sense"};
  }
  out.reason = reason;
  double log_loss = 0;
  if (!root["log_loss"].get(log_loss)) out.log_loss = log_loss;
  if (root["seconds"].get(out.seconds)) out.seconds = 0;
  return out;
}

}  // namespace

void bind(RetrainingSettings& settings, Config& config) {
  config.number("training.every_s", settings.every_s, {0, 366 * 86400.0}, "s",
                "Time between trainings of a model on the workspace's own decisions; 0 is never.");
  config.text("training.model", settings.model, "",
              "Name of the model in the registry; it ranks where a placement's model names it.");
  config.choice(
      "training.kind", settings.kind, {"ftrl", "fm", "adagrad", "adam", "sgd", kFactorsKind},
      "Kind of model; factors draw candidates where a placement's retriever names it. Where "
      "a model of verbs is promoted, its kind and verbs are learned again.");
  config.flag("training.promotes", settings.is_promoting,
              "A new version ranks at once, unless it is worse than what ranks now.");
  config.flag("training.on_drift", settings.is_on_drift,
              "With a schedule: also at once when drift is noticed, at most once an hour.");
  config.number("training.cpu_share", settings.cpu_share, {0.01, 1}, "",
                "Of one core at most, on the average, at the lowest priority.");
  config.number("training.memory_bytes", settings.memory_bytes, {double(128u << 20), 1e15}, "bytes",
                "Limit of the training process; tables are made smaller to keep it.");
  config.number("training.kept", settings.kept, {1, 100}, "",
                "Versions of its own that are kept though they do not rank.");
}

Status check(const RetrainingSettings& settings) {
  if (is_model_name(settings.model)) return ok_status();
  return Error{Code::kInvalid,
               fmt::format("training.model is \"{}\", must be 1-64 of a-z, 0-9, - and _, a letter "
                           "first",
                           settings.model),
               "training.model", "for example ranker"};
}

bool is_asked_by_drift(Time alarm, Time last_training, Time now) {
  return alarm > last_training && now - last_training >= seconds(kBetweenDriftsS);
}

Retraining::Retraining(Engine& engine, std::string workspace, RetrainingSettings settings,
                       std::string program, Log* log)
    : engine_(engine),
      workspace_(std::move(workspace)),
      settings_(std::move(settings)),
      program_(std::move(program)),
      log_(log) {
  if (settings_.every_s <= 0) return;
  thread_ = std::jthread([this](const std::stop_token& stop) { run(stop); });
}

Retraining::~Retraining() {
  thread_.request_stop();
  waiting_.notify_all();
}

void Retraining::log(LogLevel level, std::string_view event,
                     std::initializer_list<LogField> fields) const {
  if (log_) log_->write(level, event, fields);
}

std::string Retraining::output() const {
  return fmt::format("{}/registry/{}.training", workspace_, settings_.model);
}

std::string Retraining::path_of(const std::string& id) const {
  return fmt::format("{}/registry/{}.model", workspace_, id);
}

void Retraining::run(const std::stop_token& stop) {
  name_thread("retraining");
  std::unique_lock lock(mutex_);
  while (!stop.stop_requested()) {
    waiting_.wait_for(lock, stop, kLook, [] { return false; });
    if (stop.stop_requested()) return;
    if (!is_due()) continue;
    last_ = engine_.now();
    const auto report = train(stop);
    if (stop.stop_requested()) return;
    const Status done = report.ok() ? adopt(*report) : Status(report.error());
    std::error_code ignored;
    std::filesystem::remove(output(), ignored);
    next_ = engine_.now() +
            seconds(done.ok() ? settings_.every_s : std::min(settings_.every_s, kRetryS));
    if (done.ok()) continue;
    log(LogLevel::kWarn, "retraining_failed",
        {{"model", settings_.model},
         {"message", done.error().message},
         {"hint", done.error().hint}});
  }
}

// Since the newest version a schedule made: so a restart changes nothing.
bool Retraining::is_due() const {
  const Time now = engine_.now();
  const auto catalog = engine_.catalog();
  const RegisteredModel* const model = catalog->models().find(settings_.model);
  if (model == nullptr) return now >= next_;
  for (auto version = model->versions.rbegin(); version != model->versions.rend(); ++version) {
    if (!is_ours(*version)) continue;
    const bool is_time = now >= next_ && now - version->created >= seconds(settings_.every_s);
    const Time last = std::max(last_, version->created);
    return is_time ||
           (settings_.is_on_drift && is_asked_by_drift(engine_.counts().drift_at, last, now));
  }
  return now >= next_;
}

Result<std::string> Retraining::train(const std::stop_token& stop) {
  std::error_code ignored;
  std::filesystem::create_directories(workspace_ + "/registry", ignored);
  std::vector<std::string> arguments = {program_,      "train",
                                        "--workspace", workspace_,
                                        "--memory",    std::to_string(settings_.memory_bytes),
                                        "--cpu-share", fmt::format("{}", settings_.cpu_share),
                                        "--output",    output(),
                                        "--json"};
  ModelOptions learns{.kind = settings_.kind};
  const auto catalog = engine_.catalog();
  const RegisteredModel* const model = catalog->models().find(settings_.model);
  if (settings_.kind != kFactorsKind && model != nullptr && model->promoted() != nullptr &&
      model->promoted()->input == kWorkspaceInput) {
    const ModelVersion& promoted = *model->promoted();
    arguments.insert(arguments.end(),
                     {"--against", fmt::format("{}@{}", settings_.model, promoted.number)});
    TRY(const Trained ranks, Trained::load(path_of(promoted.id)));
    if (!ranks.model->options().tasks.empty()) learns = ranks.model->options();
  }
  if (learns.tasks.empty()) {
    arguments.insert(arguments.end(), {"--kind", learns.kind});
  } else {
    learn_the_same(learns, arguments);
  }
  log(LogLevel::kInfo, "retraining", {{"model", settings_.model}, {"kind", learns.kind}});
  TRY(ChildDone done, run_child(arguments, stop));
  if (done.code == 0) return std::move(done.out);
  std::string said = said_last(done.err);
  if (said.empty()) said = fmt::format("it ended with code {}", done.code);
  return Error{Code::kUnavailable, "training: " + said, "",
               "attune train --workspace shows the same at length"};
}

Status Retraining::adopt(const std::string& report) {
  TRY(Verdict verdict, verdict_of(report));
  const auto version = engine_.register_model(settings_.model, output(), short_report(report, kBy));
  if (!version.ok() && version.error().code == Code::kConflict) {
    log(LogLevel::kInfo, "retraining_unchanged", {{"model", settings_.model}});
    return ok_status();
  }
  if (!version.ok()) return version.error();
  const auto catalog = engine_.catalog();
  if (verdict.can_be_promoted) {
    verdict.reason = why_not_in_place_of(*catalog->models().find(settings_.model), *version);
    verdict.can_be_promoted = verdict.reason.empty();
  }
  const std::string loss = verdict.log_loss ? fmt::format("{:.5f}", *verdict.log_loss) : "none";
  const bool is_promoted = settings_.is_promoting && verdict.can_be_promoted;
  if (is_promoted) {
    TRY_OK(engine_.promote_model(settings_.model, version->number,
                                 verdict.log_loss ? "retrained: log loss " + loss : "retrained"));
  }
  log(LogLevel::kInfo, "retrained",
      {{"model", fmt::format("{}@{}", settings_.model, version->number)},
       {"log_loss", loss},
       {"seconds", verdict.seconds},
       {"promoted", is_promoted ? "yes" : "no"},
       {"not_promoted_because", verdict.reason}});
  prune();
  return ok_status();
}

// What ranks, would be rolled back to, or was made by hand stays.
void Retraining::prune() {
  const auto catalog = engine_.catalog();
  const RegisteredModel* const model = catalog->models().find(settings_.model);
  std::vector<std::uint32_t> idle;
  for (const ModelVersion& version : model->versions) {
    if (!model->is_held(version.number) && is_ours(version)) idle.push_back(version.number);
  }
  const auto kept = static_cast<std::size_t>(settings_.kept);
  for (std::size_t i = 0; i + kept < idle.size(); ++i) {
    (void)engine_.remove_model(settings_.model, idle[i]);
  }
}

}  // namespace attune
