#include "feature/derive_live.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "feature/cell.h"
#include "feature/column_sketch.h"
#include "feature/json_members.h"
#include "feature/plan_kinds.h"

namespace attune {
namespace {

using enum FeatureKind;
constexpr std::size_t kMostValues = 50;    // of a trait: each has a weight for each word
constexpr std::size_t kMostBrands = 1000;  // of an attribute of items
constexpr std::size_t kFewItems = 20;
constexpr std::uint64_t kFewEvents = 200;
constexpr int kEdges = 4;
// Fields of an item that other kinds of features are made of.
constexpr std::string_view kOwnFields =
    " id category categories tags price is_hidden created vector title name attributes ";

struct Verdict {
  std::vector<PlanFeature> features;
  std::string reason;
};

PlanFeature feature_of(FeatureKind kind, std::vector<std::string> of) {
  PlanFeature feature;
  feature.kind = kind;
  feature.of = std::move(of);
  return feature;
}

Verdict left_out(std::string why) { return {{}, std::move(why) + ": left out"}; }

std::string counts_of(const ColumnSketch& s, std::string_view of) {
  return fmt::format("{} values in {} {}", grouped(s.values.size()), grouped(s.filled), of);
}

// Between bins of about as many numbers each.
std::vector<double> edges_of(const TableSample& sample) {
  std::vector<double> numbers, edges;
  for (std::size_t row = 0; row < sample.rows(); ++row) {
    if (const auto number = number_of(sample.cell(row, 0))) numbers.push_back(*number);
  }
  std::sort(numbers.begin(), numbers.end());
  for (std::size_t i = 1; i <= kEdges && !numbers.empty(); ++i) {
    const double edge = numbers[i * numbers.size() / (kEdges + 1)];
    if ((edges.empty() || edge > edges.back()) && edge < numbers.back()) edges.push_back(edge);
  }
  return edges;
}

class LiveDeriver {
 public:
  LiveDeriver(const LiveSample& sample, const Catalog& catalog)
      : sample_(sample), catalog_(catalog) {}

  DerivedPlan derive(const std::vector<std::string>& allow) {
    out_.plan.sensitive.names = usual_sensitive_names();
    for (const std::string& name : allow) out_.plan.sensitive.allow.push_back(words_of_name(name));
    std::sort(out_.plan.sensitive.allow.begin(), out_.plan.sensitive.allow.end());
    kept();
    traits();
    items();
    sequences();
    context();
    return std::move(out_);
  }

 private:
  void add(std::string of, Verdict verdict) {
    PlanReason reason{std::move(of), std::move(verdict.reason), !verdict.features.empty()};
    reason.begin = out_.plan.features.size();
    for (PlanFeature& feature : verdict.features) out_.plan.features.push_back(std::move(feature));
    reason.end = out_.plan.features.size();
    out_.reasons.push_back(std::move(reason));
  }
  // What every workspace begins with, but the traits.
  void kept() {
    Verdict verdict;
    for (const PlanFeature& feature : default_plan().features) {
      if (feature.kind != kTraitTopic) verdict.features.push_back(feature);
    }
    verdict.reason =
        "what every workspace begins with; a feature without a value is left out of a row";
    add("all", std::move(verdict));
  }
  void traits() {
    PlanFeature crossed = feature_of(kTraitTopic, {});
    std::string reason;
    for (const auto& [name, values] : sample_.traits()) {
      const std::string_view listed = out_.plan.sensitive.match(name);
      const ColumnSketch s = sketch_of(values, 0);
      const std::string of = "person." + name;
      if (!listed.empty()) {
        add(of, left_out(fmt::format("sensitive ({}), allow = [\"{}\"] lets it in", listed,
                                     words_of_name(name))));
      } else if (s.values.size() < 2) {
        add(of, left_out("always the same value"));
      } else if (2 * s.values.size() > s.filled && s.filled >= kFewItems) {
        add(of, left_out(counts_of(s, "events") + ", too rare to teach anything"));
      } else if (s.values.size() > kMostValues) {
        add(of, left_out(counts_of(s, "events") + ", too many for a weight each with every word"));
      } else if (crossed.traits.size() == kMostTraits) {
        add(of, left_out(fmt::format("{} traits are crossed already", kMostTraits)));
      } else {
        crossed.traits.push_back(name);
        reason += (reason.empty() ? "" : "; ") + name + ": " + counts_of(s, "events");
      }
    }
    if (crossed.traits.empty()) return;
    add("person", {{crossed}, reason + ": crossed with the words of items"});
  }
  void items() {
    LiveSample::Named attributes;
    std::size_t with_vector = 0, all = 0;
    for (const auto& item : catalog_.items()) {
      LiveSample::add(item->attributes, attributes);
      each_member(item->attributes, [&](std::string_view key, std::string_view value) {
        if (key == "attributes") LiveSample::add(value, attributes);
      });
      with_vector += item->vector.empty() ? 0 : 1;
      ++all;
    }
    for (const auto& [name, values] : attributes) {
      if (!holds_word(kOwnFields, name)) add("item." + name, attribute(name, values, all));
    }
    if (with_vector == 0) return;
    add("item.vector", {{feature_of(kVector, {"item.vector"})},
                        fmt::format("{} of {} items have one: how near to the person's last items",
                                    grouped(with_vector), grouped(all))});
  }
  static Verdict attribute(const std::string& name, const TableSample& values, std::size_t all) {
    const ColumnSketch s = sketch_of(values, 0);
    const std::string of = "item." + name;
    if (s.filled < kFewItems) return left_out(fmt::format("{} items have one", s.filled));
    if (s.values.size() < 2) return left_out("always the same value");
    if (s.is_number() && s.values.size() > 12) {
      PlanFeature bins = feature_of(kBins, {of});
      bins.edges = edges_of(values);
      if (bins.edges.empty()) return left_out("nearly always the same number");
      return {{bins},
              fmt::format("number {} of {} items: in {} bins", range_text(s.min, s.max),
                          grouped(s.filled), bins.edges.size() + 1)};
    }
    if (s.values.size() > kMostBrands || 2 * s.values.size() > s.filled) {
      return left_out(counts_of(s, "items") + ", too rare to teach anything");
    }
    return {{feature_of(kCategory, {of})},
            counts_of(s, all == s.filled ? "items" : "items that have one") + ": category"};
  }
  void sequences() {
    const std::uint64_t clicks = sample_.events(Verb::kClick);
    bool has_categories = false;
    for (const auto& item : catalog_.items()) has_categories |= !item->category.empty();
    PlanFeature feature = feature_of(kSequence, {"person.click"});
    feature.by = "category";
    feature.last = 5;
    feature.scale = 0.5F;
    if (clicks < kFewEvents) {
      add("person.click", left_out(fmt::format("{} clicks, fewer than {}", clicks, kFewEvents)));
    } else if (!has_categories) {
      add("person.click", left_out("no item has a category"));
    } else {
      add("person.click", {{feature},
                           fmt::format("{} clicks: the categories of the last 5 crossed "
                                       "with that of the item",
                                       grouped(clicks))});
    }
  }
  void context() {
    for (const auto& [name, values] : sample_.context()) {
      const std::string of = "context." + name;
      const std::string_view listed = out_.plan.sensitive.match(name);
      const ColumnSketch s = sketch_of(values, 0);
      if (!listed.empty()) {
        add(of, left_out(fmt::format("sensitive ({})", listed)));
      } else if (s.values.size() < 2 || s.values.size() > kMostValues) {
        add(of, left_out(counts_of(s, "requests")));
      } else {
        add(of, {{feature_of(kCross, {of, "item.category"})},
                 counts_of(s, "requests") + ": crossed with the item's category"});
      }
    }
  }

  const LiveSample& sample_;
  const Catalog& catalog_;
  DerivedPlan out_;
};

}  // namespace

void LiveSample::add(std::string_view json, Named& out) {
  each_member(json, [&](std::string_view key, std::string_view value) {
    const std::string_view text = plain_scalar(value);
    if (text.empty() || key.empty()) return;
    auto at = out.find(key);
    if (at == out.end()) {
      if (out.size() == kMostNames) return;
      const std::string name(key);
      at = out.emplace(name, TableSample({&name, 1})).first;
    }
    at->second.add({&text, 1});
  });
}

DerivedPlan derive_live_plan(const LiveSample& sample, const Catalog& catalog,
                             const std::vector<std::string>& allow) {
  DerivedPlan derived = LiveDeriver(sample, catalog).derive(allow);
  // A plan of decisions has its limit; what comes last is least.
  std::vector<PlanFeature>& features = derived.plan.features;
  for (PlanReason& reason : derived.reasons) {
    if (reason.end <= kMostLiveFeatures) continue;
    reason = {reason.of, fmt::format("beyond {} features: left out", kMostLiveFeatures)};
  }
  if (features.size() > kMostLiveFeatures) features.resize(kMostLiveFeatures);
  return derived;
}

}  // namespace attune
