// What a challenger and what is promoted came to: on the same outcomes, as the stream measured
// them, and of a canary among the persons each ranked for, as the journal tells. A canary that
// clearly harms ends; one that is clearly better is promoted, if it was told to be.
#include <fmt/format.h>

#include <unordered_map>

#include "base/json.h"
#include "engine/canary_counts.h"
#include "engine/workspace.h"
#include "stat/clustered_rate.h"
#include "stat/measure.h"

namespace attune {
namespace {

struct PersonCount {
  double clicked = 0, shown = 0;
};
using ByPerson = std::unordered_map<std::uint64_t, PersonCount>;

ClusteredRate rate_of(const ByPerson& persons) {
  ClusteredRate out;
  for (const auto& [person, count] : persons) out.add(count.clicked, count.shown);
  return out;
}

void write_rate(JsonWriter& json, std::string_view name, const ClusteredRate& rate) {
  json.key(name).begin_object().field("persons", rate.clusters());
  json.field("shown", rate.trials()).field("clicked", rate.events()).key("rate");
  rate.rate() ? json.value(*rate.rate()) : json.null();
  write_interval(json, "interval", rate.interval());
  json.end_object();
}

std::string retire_json(const std::string& name, const std::string& reason) {
  std::string out;
  JsonWriter(out)
      .begin_object()
      .field("op", "retire_challenger")
      .field("name", name)
      .field("reason", reason)
      .end_object();
  return out;
}

std::string promote_json(const std::string& name, std::uint32_t version,
                         const std::string& reason) {
  std::string out;
  JsonWriter json(out);
  json.begin_object().field("op", "promote_model").field("name", name);
  json.field("version", std::uint64_t{version}).field("reason", reason).end_object();
  return out;
}

// The canary and what is promoted change places, so that what turns out to be a mistake is undone
// in the same way.
std::vector<std::string> places_changed(const RegisteredModel& model, const std::string& why) {
  const Challenger& canary = *model.challenger;
  std::vector<std::string> changes{promote_json(model.name, canary.version, why)};
  if (const ModelVersion* const before = model.promoted()) {
    changes.push_back(challenge_json(
        {.name = model.name,
         .reason = "was promoted before: it keeps the share, should it be the better one after all",
         .version = before->number,
         .share = canary.share,
         .promotes = true}));
  }
  return changes;
}

// In words, of an interval of (canary - promoted).
std::string_view verdict_of(const std::optional<Interval>& difference) {
  if (!difference) return "too little is known";
  if (difference->low > 0) return "better";
  return difference->high < 0 ? "worse" : "no clear difference";
}

}  // namespace

// Of decisions since the challenge began that personalised, where the placement asks for the model.
Result<std::string> Workspace::compare_model(const std::string& name) {
  const auto now = catalog();
  TRY(const RegisteredModel* const model, now->models().require(name));
  if (!model->challenger) {
    return Error{Code::kConflict, fmt::format("model \"{}\" has no challenger", name), "name",
                 fmt::format("attune registry shadow {}@VERSION lets one be measured", name)};
  }
  const Challenger challenger = *model->challenger;
  TRY(const ServedModel served, models_.load(model->version(challenger.version)->id));
  const std::vector<TaskOptions>& verbs = served.model->options().tasks;
  ByPerson tried, others;
  if (challenger.share > 0) {
    TRY_OK(logged_decisions(
        [&](const Decision& made, std::uint64_t person, const std::vector<bool>& is_answered) {
          const auto arm = arm_of(made, *now, name, challenger);
          if (!arm) return;
          PersonCount& count = (*arm == Arm::kTried ? tried : others)[person];
          count.shown += static_cast<double>(made.shown.size());
          count.clicked +=
              static_cast<double>(std::count(is_answered.begin(), is_answered.end(), true));
        }));
  }
  const ClusteredRate canary_rate = rate_of(tried), other_rate = rate_of(others);
  const auto difference = difference_interval(canary_rate, other_rate);
  std::string out;
  JsonWriter json(out);
  json.begin_object().field("name", name);
  json.field("challenger", std::uint64_t{challenger.version}).field("share", challenger.share);
  json.field("since", format_iso8601(challenger.since)).key("promoted");
  model->promoted() == nullptr ? json.null() : json.value(std::uint64_t{model->promoted()->number});
  json.key("canary");
  if (challenger.share > 0) {
    json.begin_object();
    write_rate(json, "tried", canary_rate);
    write_rate(json, "others", other_rate);
    write_interval(json, "difference_interval", difference);
    write_interval(json, "always_valid_interval", always_valid_difference(canary_rate, other_rate));
    json.field("verdict", verdict_of(difference)).end_object();
  } else {
    json.null();
  }
  json.key("predicts");
  verbs.empty() ? json.null() : json.value(verbs.front().name);
  json.key("outcomes");
  stream_.write(json, name);
  json.end_object();
  return out;
}

// Under checkpoint_mutex_. What was counted is of the journal alone: a start counts it anew.
Status Workspace::count_for_canary(const std::string& name, const Challenger& challenger) {
  CanaryWatch& watch = canaries_[name];
  const bool is_known =
      watch.challenger.version == challenger.version && watch.challenger.since == challenger.since;
  if (!is_known) watch = CanaryWatch();
  watch.challenger = challenger;
  const auto now = catalog();
  return logged_from(
      challenger.since, watch.until,
      [&](const Decision& made, std::uint64_t person) {
        if (const auto arm = arm_of(made, *now, name, challenger)) {
          watch.counts.show(made, person, *arm);
        }
      },
      [&](const Event& event) { watch.counts.engage(event.decision_id, event.item_id); });
}

// A canary that clearly harms is retired as a person would: by a record, which a replay meets.
void Workspace::look_at_canaries() {
  const auto now = catalog();
  std::erase_if(canaries_, [&](const auto& one) {
    const RegisteredModel* const model = now->models().find(one.first);
    return model == nullptr || !model->challenger;
  });
  for (const auto& [name, model] : now->models().models()) {
    if (!model.challenger || !(model.challenger->share > 0)) continue;
    const Status counted = count_for_canary(name, *model.challenger);
    if (!counted.ok()) {
      log(LogLevel::kWarn, "canary_not_looked_at",
          {{"model", name}, {"message", counted.error().message}});
      continue;
    }
    const CanaryCounts& counts = canaries_[name].counts;
    if (const auto harm = counts.harm()) {
      end_canary(name, *harm);
    } else if (const auto gain = model.challenger->promotes ? counts.gain() : std::nullopt) {
      promote_canary(name, *gain);
    }
  }
}

void Workspace::end_canary(const std::string& name, const std::string& why) {
  decide_canary(
      name, "canary_ended", [&](const auto&) { return std::vector{retire_json(name, why)}; }, why);
}

void Workspace::promote_canary(const std::string& name, const std::string& why) {
  const Status can_rank = require_ranking(*catalog(), name, canaries_[name].challenger.version);
  if (!can_rank.ok()) {
    log(LogLevel::kWarn, "canary_not_promoted",
        {{"model", name}, {"message", can_rank.error().message}});
    return;
  }
  decide_canary(
      name, "canary_promoted",
      [&](const RegisteredModel& model) { return places_changed(model, why); }, why);
}

// what: happens, for the log. By records, unless somebody was quicker.
void Workspace::decide_canary(
    const std::string& name, std::string_view what,
    const std::function<std::vector<std::string>(const RegisteredModel&)>& changes,
    const std::string& why) {
  const std::scoped_lock lock(mutex_);
  const Challenger judged = canaries_[name].challenger;
  const RegisteredModel* const model = state_.catalog()->models().find(name);
  if (model == nullptr || !model->challenger || model->challenger->version != judged.version ||
      model->challenger->since != judged.since) {
    return;
  }
  log(LogLevel::kWarn, what,
      {{"model", fmt::format("{}@{}", name, judged.version)}, {"reason", why}});
  const Status status = append_control(changes(*model));
  if (!status.ok()) {
    log(LogLevel::kWarn, "canary_not_decided", {{"message", status.error().message}});
  }
}

}  // namespace attune
