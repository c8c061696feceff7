#include "feature/plan_kinds.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "base/nearest.h"
#include "event/event.h"

namespace attune {
namespace {

constexpr std::string_view kAll = " person item context column ";
using enum FeatureKind;
constexpr std::array<FeatureKindRow, 22> kKinds = {{
    {kBias, "bias", "", ""},
    {kPlacement, "placement", "", ""},
    {kItem, "item", "", ""},
    {kTopic, "topic", "", ""},
    {kTrait, "trait", " traits ", ""},
    {kTraitTopic, "trait_topic", " traits ", ""},
    {kItemRate, "item_rate", "", ""},
    {kInterest, "interest", "", ""},
    {kActivity, "activity", "", ""},
    {kNeighbour, "neighbour", "", ""},
    {kItemAge, "item_age", "", ""},
    {kPrice, "price", "", ""},
    {kCategory, "category", " of min_count ", kAll},
    {kNumber, "number", " of log standardise missing center ", kAll},
    {kBins, "bins", " of bins missing edges ", kAll},
    {kBag, "bag", " of separator min_count ", kAll},
    {kSequence, "sequence", " of separator last decay by as ", " person column "},
    {kCross, "cross", " of ", kAll},
    {kVector, "vector", " of separator last by ", " item column "},
    {kTime, "time", " of part ", " column "},
    {kCount, "count", " of verb window ", " person item "},
    {kRate, "rate", " of window ", " person item "},
}};
constexpr std::string_view kColumnKeys = " standardise missing bins separator min_count part ";
constexpr std::string_view kLiveKeys = " center edges by verb window ";

std::string joined(const std::vector<std::string>& words) {
  std::string out;
  for (const std::string& word : words) out += (out.empty() ? "" : ", ") + word;
  return out;
}

// A count or rate is of all of a person or an item, the rest of one thing of it.
bool names_whole(FeatureKind kind) { return kind == kCount || kind == kRate; }

std::string input_fault(const PlanFeature& feature, const std::string& input,
                        const Sensitive& sensitive) {
  const auto [source, name] = input_name(input);
  const std::vector<std::string> sources = words_of(feature_kind(feature.kind).sources);
  if (!holds_word(feature_kind(feature.kind).sources, source)) {
    return fmt::format("{} is no input of a {}{}: it begins with one of {}", input,
                       kind_name(feature.kind), did_you_mean(source, sources), joined(sources));
  }
  if (names_whole(feature.kind) != name.empty()) {
    return names_whole(feature.kind)
               ? fmt::format("{} must be person or item alone", input)
               : fmt::format("{} names nothing: {}.NAME is an input", input, source);
  }
  if (source == "item") return {};
  const std::string_view listed = sensitive.match(name);
  if (listed.empty()) return {};
  return fmt::format("{} is sensitive ({}): [sensitive] allow = [\"{}\"] lets it in", input, listed,
                     words_of_name(name));
}

PlanFault inputs_fault(const PlanFeature& f, const Sensitive& sensitive) {
  if (feature_kind(f.kind).sources.empty()) return {};
  const bool is_cross = f.kind == kCross;
  if (f.of.empty()) return {"of", fmt::format("a {} needs of = \"INPUT\"", kind_name(f.kind))};
  if (is_cross ? f.of.size() < 2 || f.of.size() > kMostCrossInputs : f.of.size() != 1) {
    return {"of", is_cross ? fmt::format("a cross is of 2 to {} inputs", kMostCrossInputs)
                           : fmt::format("a {} is of one input", kind_name(f.kind))};
  }
  for (std::size_t i = 0; i < f.of.size(); ++i) {
    if (std::string what = input_fault(f, f.of[i], sensitive); !what.empty()) return {"of", what};
    if (std::find(f.of.begin(), f.of.begin() + static_cast<std::ptrdiff_t>(i), f.of[i]) !=
        f.of.begin() + static_cast<std::ptrdiff_t>(i)) {
      return {"of", f.of[i] + " is named twice"};
    }
    const bool is_column = input_name(f.of[i]).source == "column";
    if (is_column != (input_name(f.of[0]).source == "column")) {
      return {"of", "columns cannot be crossed with inputs of a decision"};
    }
  }
  return {};
}

// Keys that only one of the two worlds has, used in the other.
PlanFault world_fault(const PlanFeature& f) {
  const bool is_column = !f.of.empty() && input_name(f.of[0]).source == "column";
  static const PlanFeature usual;
  const std::pair<std::string_view, bool> given[] = {
      {"standardise", f.is_standardised != usual.is_standardised},
      {"missing", f.has_missing != usual.has_missing},
      {"bins", f.bins != usual.bins},
      {"separator", f.separator != usual.separator},
      {"min_count", f.min_count != usual.min_count},
      {"center", f.center != usual.center},
      {"edges", f.edges != usual.edges},
      {"by", f.by != usual.by}};
  for (const auto& [key, is_given] : given) {
    if (!is_given || !holds_word(is_column ? kLiveKeys : kColumnKeys, key)) continue;
    return {std::string(key),
            fmt::format("{} is for inputs of a {}", key, is_column ? "decision" : "table")};
  }
  if (is_column) return {};
  if (f.kind == kBins && f.edges.empty()) return {"edges", "bins of a decision need edges"};
  return {};
}

PlanFault word_fault(std::string_view key, std::string_view word, std::string_view known) {
  if (holds_word(known, word)) return {};
  const std::vector<std::string> list = words_of(known);
  const std::string is = word.empty() ? "missing" : std::string(word) + did_you_mean(word, list);
  return {std::string(key), fmt::format("{} is {}: must be one of {}", key, is, joined(list))};
}

// " impression view click ... "
std::string verb_list() {
  std::string list = " ";
  for (std::size_t i = 0; i < kVerbCount; ++i) {
    list += std::string(verb_name(static_cast<Verb>(i))) + " ";
  }
  return list;
}

PlanFault words_fault(const PlanFeature& f) {
  const auto [source, name] = input_name(f.of[0]);
  if (f.kind == kTime) return word_fault("part", f.part, " hour weekday ");
  if (f.kind == kSequence && source == "person") {
    if (auto fault = word_fault("of", name, verb_list()); !fault.key.empty()) return fault;
    if (!f.as.empty() && !f.by.empty())
      return {"by", "by crosses entries, as does not: one of them"};
    if (!f.as.empty()) return word_fault("as", f.as, " item.id item.category ");
    return word_fault("by", f.by, " item category ");
  }
  if (!f.as.empty()) {
    if (f.as == f.of[0]) return {"as", "as = " + f.as + ": it is of itself"};
    return input_name(f.as).source == "column" && !input_name(f.as).name.empty()
               ? PlanFault{}
               : PlanFault{"as", "as must be a column.NAME"};
  }
  if (f.kind == kVector && source == "item") {
    if (name != "vector") return {"of", "the vector of an item is item.vector"};
    return f.by.empty() ? PlanFault{} : word_fault("by", f.by, " cosine dot ");
  }
  if (!names_whole(f.kind)) return {};
  if (auto fault = word_fault("window", f.window, " 1h 24h 7d 30d "); !fault.key.empty()) {
    return fault;
  }
  if (f.kind != kCount) return {};
  return word_fault(
      "verb", f.verb,
      source == "item" ? std::string(" shown engaged ") : " shown engaged" + verb_list());
}

}  // namespace

std::span<const FeatureKindRow> feature_kinds() { return kKinds; }

const FeatureKindRow& feature_kind(FeatureKind kind) {
  return kKinds[static_cast<std::size_t>(kind)];
}

bool holds_word(std::string_view list, std::string_view word) {
  return !word.empty() && list.find(" " + std::string(word) + " ") != std::string_view::npos;
}

std::vector<std::string> words_of(std::string_view list) {
  std::vector<std::string> words;
  std::string word;
  for (const char c : list) {
    if (c != ' ') {
      word += c;
    } else if (!word.empty()) {
      words.push_back(std::exchange(word, {}));
    }
  }
  return words;
}

bool is_same_feature(const PlanFeature& a, const PlanFeature& b) {
  if (a.kind != b.kind || a.of.empty()) return false;  // two of an older kind add up, as ever
  const bool has_same_inputs =
      std::is_permutation(a.of.begin(), a.of.end(), b.of.begin(), b.of.end());
  return has_same_inputs && a.is_log == b.is_log && a.part == b.part && a.verb == b.verb &&
         a.window == b.window && a.by == b.by && a.as == b.as;
}

std::optional<std::size_t> place_of_category(const Plan& plan, std::string_view input) {
  for (std::size_t i = 0; i < plan.features.size(); ++i) {
    const PlanFeature& one = plan.features[i];
    if (one.kind == kCategory && one.of[0] == input) return i;
  }
  return std::nullopt;
}

std::string did_you_mean(std::string_view word, const std::vector<std::string>& known) {
  const std::string meant = nearest(word, known);
  return meant.empty() ? "" : fmt::format(", did you mean {}?", meant);
}

PlanFault check_feature(const PlanFeature& f, const Sensitive& sensitive) {
  for (const std::string& name : f.traits) {
    const std::string_view listed = sensitive.match(name);
    if (listed.empty()) continue;
    return {"traits", fmt::format("{} is sensitive ({}): [sensitive] allow = [\"{}\"] lets it in",
                                  name, listed, words_of_name(name))};
  }
  if (auto fault = inputs_fault(f, sensitive); !fault.key.empty()) return fault;
  if (feature_kind(f.kind).sources.empty()) return {};
  if (auto fault = world_fault(f); !fault.key.empty()) return fault;
  for (std::size_t i = 0; i < f.edges.size(); ++i) {
    if (std::isfinite(f.edges[i]) && (i == 0 || f.edges[i - 1] < f.edges[i])) continue;
    return {"edges", "edges must be ascending numbers"};
  }
  return words_fault(f);
}

}  // namespace attune
