// Plan::parse: TOML -> Plan; every error names the line.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <set>

#include "base/toml.h"
#include "feature/plan_kinds.h"

namespace attune {
namespace {

constexpr double kLeastScale = 1e-3, kMostScale = 1e3;

Error wrong(const std::string& source, const TomlValue& at, const std::string& what,
            const std::string& field) {
  return {Code::kInvalid, fmt::format("{} line {}: {}", source, at.line(), what), field,
          "docs/reference/plan.md lists the kinds and keys"};
}

// Reads one [[feature]] table.
class FeatureReader {
 public:
  FeatureReader(const TomlValue& table, const std::string& source, const Sensitive& sensitive)
      : table_(table), source_(source), sensitive_(sensitive) {}

  Result<PlanFeature> read() {
    TRY(feature_.kind, kind());
    TRY_OK(keys());
    TRY_OK(number("scale", kLeastScale, kMostScale, feature_.scale));
    TRY_OK(texts("traits", kMostTraits, feature_.traits));
    TRY_OK(inputs());
    TRY_OK(words());
    TRY_OK(numbers());
    const PlanFault fault = check_feature(feature_, sensitive_);
    if (fault.key.empty()) return std::move(feature_);
    return wrong_at(find(fault.key).value_or(table_), fault.what);
  }

 private:
  Error wrong_at(const TomlValue& at, const std::string& what) const {
    return wrong(source_, at, what, "feature");
  }
  std::optional<TomlValue> find(const std::string& key) const { return table_.find(key); }
  Result<FeatureKind> kind() const {
    const auto value = find("kind");
    if (!value) return wrong_at(table_, "a feature needs a kind");
    if (!value->is_string()) return wrong_at(*value, "kind must be a text");
    const std::string name = value->as_string();
    std::vector<std::string> known;
    for (const FeatureKindRow& row : feature_kinds()) {
      if (row.name == name) return row.kind;
      known.emplace_back(row.name);
    }
    return wrong_at(*value, fmt::format("unknown kind {}{}", name, did_you_mean(name, known)));
  }
  Status keys() const {
    const FeatureKindRow& row = feature_kind(feature_.kind);
    for (const auto& [key, value] : table_.as_table()) {
      if (key == "kind" || key == "scale" || holds_word(row.keys, key)) continue;
      for (const FeatureKindRow& other : feature_kinds()) {
        if (!holds_word(other.keys, key)) continue;
        return wrong_at(value, fmt::format("a feature of kind {} has no {}", row.name, key));
      }
      std::vector<std::string> known = words_of(row.keys);
      known.insert(known.end(), {"kind", "scale"});
      return wrong_at(value, fmt::format("unknown key {}{}", key, did_you_mean(key, known)));
    }
    return ok_status();
  }
  template <class T>
  Status number(const std::string& key, double low, double high, T& out) const {
    const auto value = find(key);
    if (!value) return ok_status();
    const double number = value->is_integer() ? static_cast<double>(value->as_integer())
                          : value->is_floating() && !std::is_integral_v<T>
                              ? value->as_floating()
                              : std::numeric_limits<double>::quiet_NaN();
    if (!(number >= low && number <= high)) {
      return wrong_at(*value,
                      fmt::format("{} must be a {} in [{}, {}]", key,
                                  std::is_integral_v<T> ? "whole number" : "number", low, high));
    }
    out = static_cast<T>(number);
    return ok_status();
  }
  Status flag(const std::string& key, bool& out) const {
    const auto value = find(key);
    if (!value) return ok_status();
    if (!value->is_boolean()) return wrong_at(*value, key + " must be true or false");
    out = value->as_boolean();
    return ok_status();
  }
  Status text(const std::string& key, std::string& out) const {
    const auto value = find(key);
    if (!value) return ok_status();
    if (!value->is_string()) return wrong_at(*value, key + " must be a text");
    out = value->as_string();
    return ok_status();
  }
  Status texts(const std::string& key, std::size_t most, std::vector<std::string>& out) const {
    const auto value = find(key);
    if (!value) return ok_status();
    if (!value->is_array()) return wrong_at(*value, key + " must be a list of texts");
    for (const TomlValue& name : value->as_array()) {
      if (!name.is_string()) return wrong_at(name, key + " must be a list of texts");
      out.push_back(name.as_string());
    }
    if (out.size() <= most) return ok_status();
    return wrong_at(*value, fmt::format("more than {} {}", most, key));
  }
  Status inputs() {
    const auto value = find("of");
    if (value && value->is_string()) {
      feature_.of = {value->as_string()};
      return ok_status();
    }
    return texts("of", kMostCrossInputs, feature_.of);
  }
  Status words() {
    TRY_OK(text("separator", feature_.separator));
    TRY_OK(text("part", feature_.part));
    TRY_OK(text("verb", feature_.verb));
    TRY_OK(text("window", feature_.window));
    TRY_OK(text("by", feature_.by));
    TRY_OK(text("as", feature_.as));
    TRY_OK(flag("log", feature_.is_log));
    TRY_OK(flag("standardise", feature_.is_standardised));
    return flag("missing", feature_.has_missing);
  }
  Status numbers() {
    TRY_OK(number("bins", 2, kMostBins, feature_.bins));
    TRY_OK(number("min_count", 1, 1e9, feature_.min_count));
    TRY_OK(number("last", 1, kMostLast, feature_.last));
    TRY_OK(number("decay", 0, 1, feature_.decay));
    TRY_OK(number("center", -1e15, 1e15, feature_.center));
    return edges();
  }
  Status edges() {
    const auto value = find("edges");
    if (!value) return ok_status();
    if (!value->is_array() || value->as_array().size() >= kMostBins) {
      return wrong_at(*value,
                      fmt::format("edges must be a list of less than {} numbers", kMostBins));
    }
    for (const TomlValue& edge : value->as_array()) {
      if (!edge.is_integer() && !edge.is_floating()) {
        return wrong_at(edge, "edges must be ascending numbers");
      }
      feature_.edges.push_back(edge.is_integer() ? static_cast<double>(edge.as_integer())
                                                 : edge.as_floating());
    }
    return ok_status();
  }

  const TomlValue& table_;
  const std::string& source_;
  const Sensitive& sensitive_;
  PlanFeature feature_;
};

class PlanReader {
 public:
  PlanReader(const TomlValue& root, const std::string& source) : root_(root), source_(source) {}

  Result<Plan> read(bool with_usual_names) {
    for (const auto& [key, value] : root_.as_table()) {
      if (key == "feature" && value.is_array()) continue;
      if (key == "sensitive" && value.is_table()) continue;
      if (key == "target" || key == "positive" || key == "weight") continue;
      const std::string near =
          did_you_mean(key, {"feature", "sensitive", "target", "positive", "weight"});
      return wrong(source_, value,
                   fmt::format("unknown key {}{}, a plan is a list of [[feature]]", key, near),
                   key);
    }
    TRY_OK(sensitive());
    if (with_usual_names) add(usual_sensitive_names(), plan_.sensitive.names);
    TRY_OK(text("target", plan_.target));
    TRY_OK(text("positive", plan_.positive));
    TRY_OK(text("weight", plan_.weight));
    TRY_OK(features());
    return std::move(plan_);
  }

 private:
  static void add(const std::vector<std::string>& names, std::vector<std::string>& out) {
    for (const std::string& name : names) out.push_back(words_of_name(name));
    std::erase(out, "");
    std::sort(out.begin(), out.end());
    out.erase(std::unique(out.begin(), out.end()), out.end());
  }
  Status text(const std::string& key, std::string& out) const {
    const auto value = root_.find(key);
    if (!value) return ok_status();
    if (!value->is_string()) return wrong(source_, *value, key + " must be a text", key);
    out = value->as_string();
    return ok_status();
  }
  Status sensitive() {
    const auto table = root_.find("sensitive");
    if (!table) return ok_status();
    for (const auto& [key, list] : table->as_table()) {
      if (key != "names" && key != "allow") {
        return wrong(source_, list,
                     fmt::format("unknown key {}{}", key, did_you_mean(key, {"names", "allow"})),
                     "sensitive");
      }
      std::vector<std::string> names;
      const bool is_list = list.is_array() && list.as_array().size() <= kMostFeatures;
      if (!is_list) return wrong(source_, list, key + " must be a list of texts", "sensitive");
      for (const TomlValue& name : list.as_array()) {
        if (!name.is_string()) return wrong(source_, name, key + " must be a list of texts", key);
        names.push_back(name.as_string());
      }
      add(names, key == "names" ? plan_.sensitive.names : plan_.sensitive.allow);
    }
    return ok_status();
  }
  Status features() {
    const auto list = root_.find("feature");
    if (!list) {
      return Error{Code::kInvalid, source_ + ": no [[feature]] in it", "feature",
                   "docs/reference/plan.md shows a plan"};
    }
    for (const TomlValue& table : list->as_array()) {
      if (!table.is_table() || plan_.features.size() == kMostFeatures) {
        return wrong(source_, table,
                     fmt::format("feature must be at most {} [[feature]] tables", kMostFeatures),
                     "feature");
      }
      TRY(PlanFeature feature, FeatureReader(table, source_, plan_.sensitive).read());
      plan_.features.push_back(std::move(feature));
      const std::string fault = world_fault();
      if (!fault.empty()) return wrong(source_, table, fault, "feature");
    }
    for (std::size_t i = 0; i < plan_.features.size(); ++i) {
      const PlanFeature& feature = plan_.features[i];
      if (feature.as.empty() || place_of_category(plan_, feature.as)) continue;
      return wrong(source_, list->as_array()[i],
                   fmt::format("as = {}: the plan has no category of it{}", feature.as,
                               did_you_mean(feature.as, categories())),
                   "as");
    }
    return ok_status();
  }
  std::vector<std::string> categories() const {
    std::vector<std::string> inputs;
    for (const PlanFeature& feature : plan_.features) {
      if (feature.kind == FeatureKind::kCategory) inputs.push_back(feature.of[0]);
    }
    return inputs;
  }
  // Of the newest feature beside those before it.
  std::string world_fault() {
    const PlanFeature& newest = plan_.features.back();
    const auto is_column = [](const PlanFeature& f) {
      return !f.of.empty() && input_name(f.of[0]).source == "column";
    };
    for (std::size_t i = 0; i + 1 < plan_.features.size(); ++i) {
      const PlanFeature& other = plan_.features[i];
      if (is_column(other) != is_column(newest) && newest.kind != FeatureKind::kBias &&
          other.kind != FeatureKind::kBias) {
        return "one plan is either of a table (column.NAME) or of decisions";
      }
      if (is_same_feature(other, newest)) {
        return fmt::format("feature {} is feature {} again", plan_.features.size(), i + 1);
      }
    }
    if (!is_column(newest) && plan_.features.size() > kMostLiveFeatures) {
      return fmt::format("a plan of decisions has at most {} features", kMostLiveFeatures);
    }
    for (const std::string& input : newest.of) {
      if (input_name(input).source == "item") item_inputs_.insert(input);
    }
    if (item_inputs_.size() <= kMostItemInputs) return {};
    return fmt::format("a plan names at most {} inputs of items", kMostItemInputs);
  }

  const TomlValue& root_;
  const std::string& source_;
  std::set<std::string> item_inputs_;
  Plan plan_;
};

Result<Plan> read_text(std::string_view text, const std::string& source, bool with_usual_names) {
  if (text.size() > kPlanBytes) {
    return Error{Code::kInvalid, fmt::format("{}: more than {} bytes", source, kPlanBytes), "", ""};
  }
  TomlFault fault;
  const auto root = parse_toml(std::string(text), source, fault);
  if (root) return PlanReader(*root, source).read(with_usual_names);
  return Error{Code::kInvalid, fmt::format("{}: not TOML: {}", source, fault.what.substr(0, 400)),
               "", "docs/reference/plan.md shows a plan"};
}

}  // namespace

Result<Plan> Plan::parse(std::string_view text, const std::string& source) {
  return read_text(text, source, false);
}

Result<Plan> Plan::declare(std::string_view text, const std::string& source) {
  return read_text(text, source, true);
}

}  // namespace attune
