#include "feature/plan.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/json.h"
#include "base/toml.h"
#include "feature/plan_kinds.h"

namespace attune {
namespace {

std::string list_of(const std::vector<std::string>& texts) {
  std::string list;
  for (const std::string& text : texts) list += (list.empty() ? "" : ", ") + toml_quoted(text);
  return "[" + list + "]";
}

void add_text(std::string_view key, const std::string& text, std::string& out) {
  if (!text.empty()) out += fmt::format("{} = {}\n", key, toml_quoted(text));
}

void add_list(std::string_view key, const std::vector<std::string>& list, std::string& out) {
  if (!list.empty()) out += fmt::format("{} = {}\n", key, list_of(list));
}

template <class T>
void add_value(std::string_view key, T value, T usual, std::string& out) {
  if (value != usual) out += fmt::format("{} = {}\n", key, value);
}

void add_feature(const PlanFeature& f, std::string& out) {
  static const PlanFeature usual;
  out += fmt::format("[[feature]]\nkind = \"{}\"\n", kind_name(f.kind));
  add_value("scale", f.scale, usual.scale, out);
  add_list("traits", f.traits, out);
  if (f.of.size() == 1) add_text("of", f.of[0], out);
  if (f.of.size() > 1) add_list("of", f.of, out);
  add_text("separator", f.separator, out);
  add_text("part", f.part, out);
  add_text("verb", f.verb, out);
  add_text("window", f.window, out);
  add_text("by", f.by, out);
  add_text("as", f.as, out);
  add_value("log", f.is_log, usual.is_log, out);
  add_value("standardise", f.is_standardised, usual.is_standardised, out);
  add_value("missing", f.has_missing, usual.has_missing, out);
  add_value("bins", f.bins, usual.bins, out);
  add_value("min_count", f.min_count, usual.min_count, out);
  add_value("last", f.last, usual.last, out);
  add_value("decay", f.decay, usual.decay, out);
  add_value("center", f.center, usual.center, out);
  if (!f.edges.empty()) out += fmt::format("edges = [{}]\n", fmt::join(f.edges, ", "));
  out += '\n';
}

}  // namespace

std::string_view kind_name(FeatureKind kind) { return feature_kind(kind).name; }

InputName input_name(std::string_view input) {
  const std::size_t dot = input.find('.');
  if (dot == std::string_view::npos) return {input, {}};
  return {input.substr(0, dot), input.substr(dot + 1)};
}

bool Plan::is_for_table() const {
  return std::any_of(features.begin(), features.end(), [](const PlanFeature& f) {
    return !f.of.empty() && input_name(f.of[0]).source == "column";
  });
}

std::string Plan::toml() const {
  std::string out;
  add_text("target", target, out);
  add_text("positive", positive, out);
  add_text("weight", weight, out);
  if (!out.empty()) out += '\n';
  if (!sensitive.names.empty() || !sensitive.allow.empty()) {
    out += "[sensitive]\n";
    add_list("names", sensitive.names, out);
    add_list("allow", sensitive.allow, out);
    out += '\n';
  }
  for (const PlanFeature& feature : features) add_feature(feature, out);
  return out;
}

std::string put_plan_json(const Plan& plan) {
  std::string change;
  JsonWriter(change).begin_object().field("op", "put_plan").field("plan", plan.toml()).end_object();
  return change;
}

const Plan& default_plan() {
  static const Plan plan{{{FeatureKind::kBias, 1},
                          {FeatureKind::kPlacement, 1},
                          {FeatureKind::kItem, 0.3F},
                          {FeatureKind::kTopic, 1},
                          {FeatureKind::kTraitTopic, 1},
                          {FeatureKind::kItemRate, 1},
                          {FeatureKind::kActivity, 1},
                          {FeatureKind::kInterest, 1},
                          {FeatureKind::kNeighbour, 1},
                          {FeatureKind::kItemAge, 0.2F},
                          {FeatureKind::kPrice, 0.2F}},
                         {},
                         {},
                         {},
                         {}};
  return plan;
}

const Plan& new_plan() {
  static const Plan plan = [] {
    Plan made = default_plan();
    made.sensitive.names = usual_sensitive_names();
    return made;
  }();
  return plan;
}

}  // namespace attune
