// A declared feature of a plan for decisions, ready for one person and moment: what the person and
// the request give is looked up once, what the item gives once a candidate. One emit() makes rows
// and their names, so they cannot differ. What it is given must outlive it.
#pragma once
#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/hash.h"
#include "catalog/catalog.h"
#include "feature/counters.h"
#include "feature/json_members.h"
#include "feature/plan.h"
#include "profile/profile.h"

namespace attune {

inline constexpr std::size_t kMostInputTokens = 16;  // of one list
inline constexpr double kMostLiveValue = 100;        // numbers are kept within

// Where and when a row is made.
struct RowMoment {
  std::string_view placement;
  Time now{};
  std::string_view context = {};     // of the request, JSON object text; "" = none
  std::int32_t utc_offset_s = 0;     // of the workspace's time zone then, east positive
  const Catalog* catalog = nullptr;  // of the items the person was last at; null = none known
};

// The attributes of one candidate that the plan names, as JSON; "" = it has none of that name.
using ItemValues = std::array<std::string_view, kMostItemInputs>;

struct LiveToken {
  std::uint64_t hash = 0;
  std::string text;
};

struct LiveInput {
  // kPerson: of a person or the request, looked up already.
  enum class From {
    kPerson,
    kAttribute,
    kId,
    kCategory,
    kTags,
    kPrice,
    kAge,
    kCounters
  } from = From::kPerson;
  std::string name;               // "person.job"
  std::size_t slot = 0;           // kAttribute: of ItemValues
  std::vector<LiveToken> tokens;  // kPerson: of a person or the request
  bool is_item() const { return from != From::kPerson; }
};

// One feature. value(), token hashes and names as docs/reference/plan.md tells them.
struct LiveStep {
  PlanFeature feature;
  std::uint64_t salt = 0;
  std::string stem;  // what its names begin with
  std::vector<LiveInput> inputs;
  // number, bins of a person or the request; count, rate of a person
  bool has_number = false;
  double number = 0;
  std::size_t window = 0;         // place in DecayedCount::at()
  double base = 0;                // rate: the mean's log-odds
  std::vector<LiveToken> recent;  // sequence: newest first
  std::vector<float> mean;        // vector: of the last items
  Time now{};
  const Counters* counters = nullptr;

  template <class Out>
  void emit(const Item& item, const ItemValues& values, const Out& out) const;

 private:
  std::uint64_t hash_of(std::uint64_t token) const { return mix64(salt, token); }
  template <class Take>
  void each_token(const LiveInput& input, const Item& item, const ItemValues& values,
                  const Take& take) const;
  bool number_of_item(const Item& item, const ItemValues& values, double& out) const;
  std::string bin_name(std::size_t bin) const;
  template <class Out>
  void emit_tokens(const Item& item, const ItemValues& values, const Out& out) const;
  template <class Out>
  void emit_cross(const Item& item, const ItemValues& values, const Out& out) const;
  template <class Out>
  void emit_number(double x, const Out& out) const;
  template <class Out>
  void emit_recent(const Item& item, const Out& out) const;
  template <class Out>
  void emit_sequence(const Out& out) const;
};

// The declared features of a plan for one person and moment; steps()[i] belongs to the i-th
// declared feature.
class LiveSteps {
 public:
  LiveSteps(const Plan& plan, const Profile& person, const Counters& counters,
            const RowMoment& moment);
  bool empty() const { return steps_.empty(); }
  const LiveStep& operator[](std::size_t i) const { return steps_[i]; }
  // Finds the attributes the plan names, in one pass.
  void read(const Item& item, ItemValues& out) const;

 private:
  LiveInput input_of(const std::string& name, const Profile& person, const RowMoment& moment);
  void add_person(LiveStep& step, const Profile& person, const RowMoment& moment) const;
  void add_recent(LiveStep& step, const Profile& person, const RowMoment& moment) const;
  void add_mean(LiveStep& step, const Profile& person, const RowMoment& moment) const;

  std::vector<LiveStep> steps_;
  std::vector<std::string> attributes_;  // by slot
};

bool is_declared(FeatureKind kind);  // kCategory and after
// Log-odds of the smoothed rate in the window, less those of the mean.
double rate_number(const Affinity& own, double base, std::size_t window, Time now);
// Cosine, or the product of the two; 0 when the lengths differ or one has no length.
double similarity(std::span<const float> a, std::span<const float> b, bool is_cosine);

template <class Take>
void LiveStep::each_token(const LiveInput& input, const Item& item, const ItemValues& values,
                          const Take& take) const {
  using From = LiveInput::From;
  const auto take_text = [&](std::string_view text) {
    if (!text.empty()) take(hash64(text), text);
  };
  switch (input.from) {
    case From::kPerson:
      for (const LiveToken& token : input.tokens) take(token.hash, std::string_view(token.text));
      return;
    case From::kId:
      return take_text(item.id);
    case From::kCategory:
      return take_text(item.category);
    case From::kTags:
      for (const std::string& tag : item.tags) take_text(tag);
      return;
    default:
      break;
  }
  const std::string_view json = values[input.slot];
  if (json.empty() || json.front() != '[') return take_text(plain_scalar(json));
  each_element(json, [&](std::string_view element) { take_text(plain_scalar(element)); });
}

// A category and a bag: a category has one token, a bag the first kMostInputTokens different ones.
template <class Out>
void LiveStep::emit_tokens(const Item& item, const ItemValues& values, const Out& out) const {
  std::array<std::uint64_t, kMostInputTokens> hashes;    // NOLINT: filled below
  std::array<std::string_view, kMostInputTokens> texts;  // NOLINT
  std::size_t n = 0, all = 0;
  each_token(inputs[0], item, values, [&](std::uint64_t hash, std::string_view text) {
    ++all;
    if (n == hashes.size()) return;
    for (std::size_t i = 0; i < n; ++i) {
      if (hashes[i] == hash) return;
    }
    texts[n] = text;
    hashes[n++] = hash;
  });
  const bool is_bag = feature.kind == FeatureKind::kBag;
  if (!is_bag && all > 1) return;
  const double share = is_bag ? 1 / std::sqrt(static_cast<double>(n)) : 1;
  for (std::size_t i = 0; i < n; ++i) {
    out(hash_of(hashes[i]), static_cast<float>(double{feature.scale} * share),
        [&] { return stem + (is_bag ? " has " : "=") + std::string(texts[i]); });
  }
}

// Every combination of the inputs' tokens, the first kMostInputTokens of them.
template <class Out>
void LiveStep::emit_cross(const Item& item, const ItemValues& values, const Out& out) const {
  struct Combination {
    std::uint64_t hash;
    std::array<std::string_view, kMostCrossInputs> texts;
  };
  std::array<Combination, kMostInputTokens> made, next;  // NOLINT: filled below
  std::size_t n = 1;
  made[0] = {0, {}};
  for (std::size_t place = 0; place < inputs.size(); ++place) {
    std::size_t grown = 0;
    each_token(inputs[place], item, values, [&](std::uint64_t hash, std::string_view text) {
      for (std::size_t i = 0; i < n && grown < next.size(); ++i) {
        next[grown] = made[i];
        next[grown].hash = mix64(made[i].hash, hash);
        next[grown++].texts[place] = text;
      }
    });
    std::copy(next.begin(), next.begin() + static_cast<std::ptrdiff_t>(grown), made.begin());
    n = grown;
  }
  for (std::size_t i = 0; i < n; ++i) {
    out(hash_of(made[i].hash), feature.scale, [&] {
      std::string name;
      for (std::size_t place = 0; place < inputs.size(); ++place) {
        name += (place > 0 ? " x " : "") + inputs[place].name + "=";
        name += made[i].texts[place];
      }
      return name;
    });
  }
}

// A number of 0 is left out: it would add nothing and teach nothing.
template <class Out>
void LiveStep::emit_number(double x, const Out& out) const {
  const double value = std::clamp(x * double{feature.scale}, -kMostLiveValue, kMostLiveValue);
  if (value != 0 && std::isfinite(value)) {
    out(hash_of(0), static_cast<float>(value), [&] { return stem; });
  }
}

// By themselves, the newest first.
template <class Out>
void LiveStep::emit_sequence(const Out& out) const {
  double value = double{feature.scale};
  for (const LiveToken& token : recent) {
    if (token.hash != 0 && value != 0) {
      out(hash_of(token.hash), static_cast<float>(value),
          [&] { return stem + " had " + token.text; });
    }
    value *= feature.decay;
  }
}

template <class Out>
void LiveStep::emit_recent(const Item& item, const Out& out) const {
  const bool is_item = feature.by == "item";
  const std::string& own = is_item ? item.id : item.category;
  if (own.empty()) return;
  double value = double{feature.scale};
  for (const LiveToken& token : recent) {
    if (token.hash != 0 && value != 0) {
      out(hash_of(mix64(token.hash, hash64(own))), static_cast<float>(value), [&] {
        return stem + " " + token.text + " x item." + (is_item ? "id" : "category") + "=" + own;
      });
    }
    value *= feature.decay;
  }
}

template <class Out>
void LiveStep::emit(const Item& item, const ItemValues& values, const Out& out) const {
  using enum FeatureKind;
  double x = number;
  const bool is_of_item = !inputs.empty() && inputs[0].is_item();
  if (feature.kind == kCategory || feature.kind == kBag) return emit_tokens(item, values, out);
  if (feature.kind == kCross) return emit_cross(item, values, out);
  if (feature.kind == kSequence) {
    return feature.as.empty() ? emit_recent(item, out) : emit_sequence(out);
  }
  if (feature.kind == kVector) {
    return emit_number(similarity(item.vector, mean, feature.by != "dot"), out);
  }
  if (is_of_item ? !number_of_item(item, values, x) : !has_number) return;
  if (feature.kind == kBins) {
    const auto bin = static_cast<std::size_t>(
        std::lower_bound(feature.edges.begin(), feature.edges.end(), x) - feature.edges.begin());
    return out(hash_of(bin + 1), feature.scale, [&] { return bin_name(bin); });
  }
  emit_number(x, out);
}

}  // namespace attune
