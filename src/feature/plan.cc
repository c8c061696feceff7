#include "feature/plan.h"

#include <fmt/format.h>

#include <array>
#include <cmath>
#include <sstream>
#include <toml.hpp>

#include "base/nearest.h"

namespace attune {
namespace {

struct KindName {
  FeatureKind kind;
  std::string_view name;
};
constexpr std::array<KindName, 12> kKinds = {{{FeatureKind::kBias, "bias"},
                                              {FeatureKind::kPlacement, "placement"},
                                              {FeatureKind::kItem, "item"},
                                              {FeatureKind::kTopic, "topic"},
                                              {FeatureKind::kTrait, "trait"},
                                              {FeatureKind::kTraitTopic, "trait_topic"},
                                              {FeatureKind::kItemRate, "item_rate"},
                                              {FeatureKind::kInterest, "interest"},
                                              {FeatureKind::kActivity, "activity"},
                                              {FeatureKind::kNeighbour, "neighbour"},
                                              {FeatureKind::kItemAge, "item_age"},
                                              {FeatureKind::kPrice, "price"}}};
constexpr double kLeastScale = 1e-3, kMostScale = 1e3;

bool has_traits(FeatureKind kind) {
  return kind == FeatureKind::kTrait || kind == FeatureKind::kTraitTopic;
}

std::string near(std::string_view word, const std::vector<std::string>& known) {
  const std::string meant = nearest(word, known);
  return meant.empty() ? "" : fmt::format(", did you mean {}?", meant);
}

// Reads one [[feature]] table; every error names the line.
class FeatureReader {
 public:
  FeatureReader(const toml::value& table, const std::string& source)
      : table_(table), source_(source) {}

  Result<PlanFeature> read() const {
    for (const auto& [key, value] : table_.as_table()) {
      if (key == "kind" || key == "scale" || key == "traits") continue;
      return wrong(value,
                   fmt::format("unknown key {}{}", key, near(key, {"kind", "scale", "traits"})));
    }
    PlanFeature feature;
    TRY(feature.kind, kind());
    TRY(feature.scale, scale());
    TRY(feature.traits, traits(feature.kind));
    return feature;
  }

 private:
  Error wrong(const toml::value& at, const std::string& what) const {
    return {Code::kInvalid, fmt::format("{} line {}: {}", source_, at.location().line(), what),
            "feature", "docs/reference/plan.md lists the kinds and keys"};
  }
  Result<FeatureKind> kind() const {
    if (!table_.contains("kind")) return wrong(table_, "a feature needs a kind");
    const toml::value& value = table_.at("kind");
    if (!value.is_string()) return wrong(value, "kind must be a text");
    const std::string name = value.as_string().str;
    std::vector<std::string> known;
    for (const auto& [one, text] : kKinds) {
      if (text == name) return one;
      known.emplace_back(text);
    }
    return wrong(value, fmt::format("unknown kind {}{}", name, near(name, known)));
  }
  Result<float> scale() const {
    if (!table_.contains("scale")) return 1.0F;
    const toml::value& value = table_.at("scale");
    const double scale = value.is_integer()    ? static_cast<double>(value.as_integer())
                         : value.is_floating() ? value.as_floating()
                                               : 0;
    if (scale >= kLeastScale && scale <= kMostScale) return static_cast<float>(scale);
    return wrong(value, fmt::format("scale must be a number in [{}, {}]", kLeastScale, kMostScale));
  }
  Result<std::vector<std::string>> traits(FeatureKind kind) const {
    std::vector<std::string> names;
    if (!table_.contains("traits")) return names;
    const toml::value& value = table_.at("traits");
    if (!has_traits(kind)) {
      return wrong(value, fmt::format("a feature of kind {} has no traits", kind_name(kind)));
    }
    if (!value.is_array()) return wrong(value, "traits must be a list of texts");
    for (const toml::value& name : value.as_array()) {
      if (!name.is_string()) return wrong(name, "traits must be a list of texts");
      names.push_back(name.as_string().str);
    }
    if (names.size() <= kMostTraits) return names;
    return wrong(value, fmt::format("more than {} traits", kMostTraits));
  }

  const toml::value& table_;
  const std::string& source_;
};

Result<Plan> read_plan(const toml::value& root, const std::string& source) {
  Plan plan;
  for (const auto& [key, value] : root.as_table()) {
    if (key == "feature" && value.is_array()) continue;
    return Error{Code::kInvalid,
                 fmt::format("{} line {}: unknown key {}, a plan is a list of [[feature]]", source,
                             value.location().line(), key),
                 key, "docs/reference/plan.md shows one"};
  }
  if (!root.contains("feature")) {
    return Error{Code::kInvalid, source + ": no [[feature]] in it", "feature",
                 "docs/reference/plan.md shows a plan"};
  }
  for (const toml::value& table : root.at("feature").as_array()) {
    if (!table.is_table() || plan.features.size() == kMostFeatures) {
      return Error{Code::kInvalid,
                   fmt::format("{} line {}: feature must be at most {} [[feature]] tables", source,
                               table.location().line(), kMostFeatures),
                   "feature", ""};
    }
    TRY(PlanFeature feature, FeatureReader(table, source).read());
    plan.features.push_back(std::move(feature));
  }
  return plan;
}

}  // namespace

std::string_view kind_name(FeatureKind kind) {
  for (const auto& [one, name] : kKinds) {
    if (one == kind) return name;
  }
  return "";
}

Result<Plan> Plan::parse(std::string_view text, const std::string& source) {
  if (text.size() > kPlanBytes) {
    return Error{Code::kInvalid, fmt::format("{}: more than {} bytes", source, kPlanBytes), "", ""};
  }
  try {
    std::istringstream in{std::string(text)};
    return read_plan(toml::parse(in, source), source);
  } catch (const std::exception& error) {  // toml11 tells of bad syntax so
    const std::string what = error.what();
    return Error{Code::kInvalid, fmt::format("{}: not TOML: {}", source, what.substr(0, 400)), "",
                 "docs/reference/plan.md shows a plan"};
  }
}

std::string Plan::toml() const {
  std::string out;
  for (const PlanFeature& feature : features) {
    out += fmt::format("[[feature]]\nkind = \"{}\"\n", kind_name(feature.kind));
    if (feature.scale != 1) out += fmt::format("scale = {}\n", feature.scale);
    if (!feature.traits.empty()) {
      std::string list;
      for (const std::string& name : feature.traits) {
        list += list.empty() ? "" : ", ";
        list += toml::format(toml::value(name));
      }
      out += fmt::format("traits = [{}]\n", list);
    }
    out += '\n';
  }
  return out;
}

const Plan& default_plan() {
  static const Plan plan{{{FeatureKind::kBias, 1, {}},
                          {FeatureKind::kPlacement, 1, {}},
                          {FeatureKind::kItem, 0.3F, {}},
                          {FeatureKind::kTopic, 1, {}},
                          {FeatureKind::kTraitTopic, 1, {}},
                          {FeatureKind::kItemRate, 1, {}},
                          {FeatureKind::kActivity, 1, {}},
                          {FeatureKind::kInterest, 1, {}},
                          {FeatureKind::kNeighbour, 1, {}},
                          {FeatureKind::kItemAge, 0.2F, {}},
                          {FeatureKind::kPrice, 0.2F, {}}}};
  return plan;
}

}  // namespace attune
