#include "feature/live_step.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "feature/cell.h"
#include "feature/plan_kinds.h"
#include "feature/row.h"
#include "feature/table_step.h"

namespace attune {
namespace {

using From = LiveInput::From;
using enum FeatureKind;

constexpr double kPriorRate = 0.05;  // before anything was shown

std::size_t window_place(std::string_view window) {
  constexpr std::array<std::string_view, 4> kWindows = {"1h", "24h", "7d", "30d"};
  return static_cast<std::size_t>(std::find(kWindows.begin(), kWindows.end(), window) -
                                  kWindows.begin());
}

std::vector<LiveToken> tokens_of(std::string_view json) {
  std::vector<LiveToken> tokens;
  const auto add = [&](std::string_view text) {
    if (!text.empty() && tokens.size() < kMostInputTokens) {
      tokens.push_back({hash64(text), std::string(text)});
    }
  };
  if (!json.empty() && json.front() == '[') {
    each_element(json, [&](std::string_view element) { add(plain_scalar(element)); });
  } else {
    add(plain_scalar(json));
  }
  return tokens;
}

// What a request or its moment says: its own keys first come after what the engine knows.
std::vector<LiveToken> context_tokens(std::string_view name, const RowMoment& moment) {
  const auto one = [](std::string text) {
    const std::uint64_t hash = hash64(text);
    return std::vector<LiveToken>{{hash, std::move(text)}};
  };
  const DayPart at = day_part(moment.now + std::chrono::seconds(moment.utc_offset_s));
  if (name == "placement") return one(std::string(moment.placement));
  if (name == "hour") return one(std::to_string(at.hour));
  if (name == "weekday") return one(std::string(weekday_name(at.weekday)));
  std::string_view found;
  each_member(moment.context, [&](std::string_view key, std::string_view value) {
    if (key == name) found = value;
  });
  return tokens_of(found);
}

From item_source(std::string_view name) {
  if (name == "id") return From::kId;
  if (name == "category") return From::kCategory;
  if (name == "tags") return From::kTags;
  if (name == "price") return From::kPrice;
  return name == "age_days" ? From::kAge : From::kAttribute;
}

std::string stem_of(const PlanFeature& f) {
  std::string stem = f.is_log ? "log " : "";
  for (std::size_t i = 0; i < f.of.size(); ++i) stem += (i > 0 ? " x " : "") + f.of[i];
  if (f.kind == kCount) stem += "." + f.verb + "_" + f.window;
  if (f.kind == kRate) stem += ".rate_" + f.window;
  if (f.kind == kVector) stem += fmt::format(" {} last {}", f.by == "dot" ? "dot" : "near", f.last);
  return stem;
}

double logit_of(double p) {
  const double q = std::clamp(p, 1e-4, 1 - 1e-4);
  return std::log(q / (1 - q));
}

double log_of(double x) { return x < 0 ? -std::log1p(-x) : std::log1p(x); }

double count_of(const Profile& person, const LiveStep& step) {
  const std::string& verb = step.feature.verb;
  if (verb == "shown") return double{person.shown.at(step.now, step.window)};
  if (verb == "engaged") return double{person.answered.at(step.now, step.window)};
  const auto wanted = verb_from_name(verb);
  for (const auto& [one, count] : person.counts) {
    if (wanted && one == *wanted) return double{count.at(step.now, step.window)};
  }
  return 0;
}

}  // namespace

bool is_declared(FeatureKind kind) { return kind >= kCategory; }

double rate_number(const Affinity& own, double base, std::size_t window, Time now) {
  const double p = 1 / (1 + std::exp(-base));
  const double rate =
      (own.engaged.at(now, window) + 20 * p) / (double{own.shown.at(now, window)} + 20);
  return logit_of(rate) - base;
}

double similarity(std::span<const float> a, std::span<const float> b, bool is_cosine) {
  if (a.size() != b.size() || a.empty()) return 0;
  double product = 0, of_a = 0, of_b = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    product += double{a[i]} * double{b[i]};
    of_a += double{a[i]} * double{a[i]};
    of_b += double{b[i]} * double{b[i]};
  }
  if (!is_cosine) return std::isfinite(product) ? product : 0;
  const double cosine = product / std::sqrt(of_a * of_b);
  return std::isfinite(cosine) ? cosine : 0;
}

bool LiveStep::number_of_item(const Item& item, const ItemValues& values, double& out) const {
  static const Affinity kNone;
  const LiveInput& input = inputs[0];
  if (input.from == From::kCounters) {
    const Affinity* const found = counters->items.find(item.key);
    const Affinity& own = found ? *found : kNone;
    out = feature.kind == kRate
              ? rate_number(own, base, window, now)
              : std::log1p(
                    double{(feature.verb == "shown" ? own.shown : own.engaged).at(now, window)});
    return found != nullptr;
  }
  if (input.from == From::kPrice) {
    out = item.price;
    if (item.price <= 0) return false;
  } else if (input.from == From::kAge) {
    if (item.created == Time{} || item.created >= now) return false;
    out = static_cast<double>((now - item.created).count()) / 86400e6;
  } else {
    if (input.from != From::kAttribute) return false;
    const auto found = attune::number_of(plain_scalar(values[input.slot]));
    if (!found) return false;
    out = *found;
  }
  if (feature.kind == kNumber) out = (feature.is_log ? log_of(out) : out) - feature.center;
  return true;
}

std::string LiveStep::bin_name(std::size_t bin) const {
  return stem + " in " + bin_text(feature.edges, bin);
}

LiveSteps::LiveSteps(const Plan& plan, const Profile& person, const Counters& counters,
                     const RowMoment& moment) {
  for (const PlanFeature& feature : plan.features) {
    if (!is_declared(feature.kind)) continue;
    LiveStep& step = steps_.emplace_back();
    step.feature = feature;
    step.stem = stem_of(feature);
    step.salt = feature.as.empty()
                    ? mix64(hash64(kind_name(feature.kind)), hash64(step.stem))
                    : mix64(hash64(kind_name(kCategory)), hash64(feature.as));  // ids of that
    step.now = moment.now;
    step.counters = &counters;
    step.window = window_place(feature.window);
    for (const std::string& name : feature.of) {
      step.inputs.push_back(input_of(name, person, moment));
    }
    add_person(step, person, moment);
  }
}

LiveInput LiveSteps::input_of(const std::string& name, const Profile& person,
                              const RowMoment& moment) {
  LiveInput input;
  input.name = name;
  const auto [source, own] = input_name(name);
  if (source == "person") input.tokens = tokens_of(person.traits.find(own));
  if (source == "context") input.tokens = context_tokens(own, moment);
  if (source != "item") return input;
  input.from = own.empty() ? From::kCounters : item_source(own);
  if (input.from != From::kAttribute) return input;
  const auto at = std::find(attributes_.begin(), attributes_.end(), own);
  input.slot = static_cast<std::size_t>(at - attributes_.begin());
  if (at == attributes_.end()) attributes_.emplace_back(own);
  CHECK(attributes_.size() <= kMostItemInputs);
  return input;
}

// What is of the person and the moment alone.
void LiveSteps::add_person(LiveStep& step, const Profile& person, const RowMoment& moment) const {
  const PlanFeature& f = step.feature;
  if (f.kind == kSequence) return add_recent(step, person, moment);
  if (f.kind == kVector) return add_mean(step, person, moment);
  if (f.kind == kCount || f.kind == kRate) {
    const double mean =
        f.kind == kCount
            ? 0
            : (double{step.counters->all.engaged.at(step.now, step.window)} + 20 * kPriorRate) /
                  (double{step.counters->all.shown.at(step.now, step.window)} + 20);
    step.base = logit_of(mean);
    if (f.of[0] == "item") return;
    step.has_number = true;
    step.number = f.kind == kRate ? rate_number({person.shown, person.answered}, step.base,
                                                step.window, step.now)
                                  : std::log1p(count_of(person, step));
    return;
  }
  if ((f.kind != kNumber && f.kind != kBins) || step.inputs[0].tokens.size() != 1) return;
  const auto number = attune::number_of(step.inputs[0].tokens[0].text);
  if (!number) return;
  step.has_number = true;
  step.number = *number;
  if (f.kind == kNumber) step.number = (f.is_log ? log_of(*number) : *number) - f.center;
}

// A token that came again counts at its newest place; places keep their distance.
void LiveSteps::add_recent(LiveStep& step, const Profile& person, const RowMoment& moment) const {
  const std::string_view verb = input_name(step.feature.of[0]).name;
  const bool is_item = step.feature.by == "item" || step.feature.as == "item.id";
  for (std::size_t i = person.touches.size();
       i-- > 0 && step.recent.size() < static_cast<std::size_t>(step.feature.last);) {
    const Touch& touch = person.touches[i];
    if (verb_name(touch.verb) != verb) continue;
    const Item* const item = moment.catalog ? moment.catalog->find(touch.item) : nullptr;
    LiveToken token;
    if (item) token.text = is_item ? item->id : item->category;
    if (!token.text.empty()) token.hash = hash64(token.text);
    const bool is_repeated = std::any_of(step.recent.begin(), step.recent.end(),
                                         [&](const auto& t) { return t.hash == token.hash; });
    step.recent.push_back(is_repeated ? LiveToken{} : std::move(token));
  }
}

void LiveSteps::add_mean(LiveStep& step, const Profile& person, const RowMoment& moment) const {
  std::vector<ItemKey> recent;
  recent_items(person, static_cast<std::size_t>(step.feature.last), recent);
  std::vector<double> sum;
  double n = 0;
  for (const ItemKey key : recent) {
    const Item* const item = moment.catalog ? moment.catalog->find(key) : nullptr;
    if (!item || item->vector.empty()) continue;
    if (sum.empty()) sum.resize(item->vector.size());
    if (sum.size() != item->vector.size()) continue;
    for (std::size_t i = 0; i < sum.size(); ++i) sum[i] += double{item->vector[i]};
    n += 1;
  }
  for (const double one : sum) step.mean.push_back(static_cast<float>(one / n));
}

void LiveSteps::read(const Item& item, ItemValues& out) const {
  for (std::size_t i = 0; i < attributes_.size(); ++i) out[i] = {};
  if (attributes_.empty()) return;
  const auto take = [&](std::string_view key, std::string_view value) {
    for (std::size_t i = 0; i < attributes_.size(); ++i) {
      if (key == attributes_[i]) out[i] = value;
    }
  };
  std::string_view nested;
  each_member(item.attributes, [&](std::string_view key, std::string_view value) {
    if (key == "attributes") nested = value;
    take(key, value);
  });
  each_member(nested, take);
}

}  // namespace attune
