// What a challenger and what is promoted came to: on the same outcomes, as the stream measured
// them, and of a canary among the persons each ranked for, as the journal tells.
#include <fmt/format.h>

#include <unordered_map>

#include "base/json.h"
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

// In words, of an interval of (canary - promoted).
std::string_view verdict_of(const std::optional<Interval>& difference) {
  if (!difference) return "too little is known";
  if (difference->low > 0) return "better";
  return difference->high < 0 ? "worse" : "no clear difference";
}

// The model that scored: "ranker@3" of "ranker@3+120".
std::string_view version_of(std::string_view model) { return model.substr(0, model.find('+')); }

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
  const std::string canary = fmt::format("{}@{}", name, challenger.version);
  ByPerson tried, others;
  if (challenger.share > 0) {
    TRY_OK(logged_decisions(
        [&](const Decision& made, std::uint64_t person, const std::vector<bool>& is_answered) {
          const bool is_of_it = now->placement(made.placement).model == name;
          if (!is_of_it || made.time < challenger.since || made.policy != Policy::kLearned) return;
          PersonCount& count = (version_of(made.model) == canary ? tried : others)[person];
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
    json.field("verdict", verdict_of(difference)).end_object();
  } else {
    json.null();
  }
  json.key("outcomes");
  stream_.write(json, name);
  json.end_object();
  return out;
}

}  // namespace attune
