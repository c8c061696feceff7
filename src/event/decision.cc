#include "event/decision.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>

#include "base/bytes.h"
#include "base/json.h"

namespace attune {
namespace {

constexpr std::uint8_t kVersion = 1;
constexpr std::array<std::string_view, 4> kPolicyNames = {"learned", "control", "random",
                                                          "fallback"};

void write_shown(const ShownItem& item, Writer& w) {
  w.str(item.item_id);
  w.str(item.source);
  w.f32(item.score);
  w.f32(item.p_click);
  w.f64(item.propensity);
  w.svarint(item.rank_by_model);
  w.svarint(item.rank_by_rules);
  w.u8(item.is_explored ? 1 : 0);
  w.varint(item.rules.size());
  for (const std::string& rule : item.rules) w.str(rule);
  w.varint(item.parts.size());
  for (const Part& part : item.parts) {
    w.str(part.name);
    w.u32(part.hash);
    w.f32(part.value);
    w.f32(part.part);
  }
}

ShownItem read_shown(Reader& r) {
  ShownItem item;
  item.item_id = r.str();
  item.source = r.str();
  item.score = r.f32();
  item.p_click = r.f32();
  item.propensity = r.f64();
  item.rank_by_model = static_cast<std::int32_t>(r.svarint());
  item.rank_by_rules = static_cast<std::int32_t>(r.svarint());
  item.is_explored = r.u8() != 0;
  // Lists grow one by one and end with the bytes: a wrong count allocates nothing.
  for (std::uint64_t n = r.varint(); n > 0 && r.ok(); --n) item.rules.emplace_back(r.str());
  for (std::uint64_t n = r.varint(); n > 0 && r.ok(); --n) {
    Part& part = item.parts.emplace_back();
    part.name = r.str();
    part.hash = r.u32();
    part.value = r.f32();
    part.part = r.f32();
  }
  return item;
}

Error corrupt(std::string_view what) {
  return {Code::kCorrupt, "stored decision: " + std::string(what)};
}

// The double that prints as short as the float: 0.1f gives 0.1, not 0.10000000149.
double tidy(float number) {
  std::array<char, 32> text{};
  const auto end = std::to_chars(text.data(), text.data() + text.size(), number).ptr;
  double wide = static_cast<double>(number);
  std::from_chars(text.data(), end, wide);
  return wide;
}

// One counterfactual sentence. Scores are sums of parts and rule steps, so a part can be taken off.
std::string what_would_change(const Decision& decision, const ShownItem& item) {
  if (decision.policy == Policy::kRandom) {
    return "Places were drawn at random: no part of the score would change it.";
  }
  if (item.is_explored) return "It was placed by exploration: its score did not decide its place.";
  if (item.source == "pin") return "It is pinned: without the pin its score would decide.";
  const auto by_part = [](const Part& a, const Part& b) { return a.part < b.part; };
  const auto top = std::max_element(item.parts.begin(), item.parts.end(), by_part);
  if (top == item.parts.end() || !(top->part > 0)) {
    return "No part raises its score, so taking one away would not push it out.";
  }
  const double rest = static_cast<double>(item.score) - static_cast<double>(top->part);
  const std::string start = fmt::format(
      "Without its largest positive part, {} (+{:.3f}), the item's score would be {:.3f}",
      top->name, top->part, rest);
  const auto by_score = [](const OtherItem& a, const OtherItem& b) { return a.score < b.score; };
  const auto best = std::max_element(decision.others.begin(), decision.others.end(), by_score);
  if (best == decision.others.end()) {
    return start + "; no other item was in reach, so it would still be shown.";
  }
  const bool is_out = rest < static_cast<double>(best->score);
  return fmt::format("{}, {} the best item not shown, {} ({:.3f}): it would {} shown.", start,
                     is_out ? "below" : "not below", best->item_id, best->score,
                     is_out ? "not be" : "still be");
}

void write_explanation(const Decision& decision, const ShownItem& item, JsonWriter& json) {
  double sum = 0;
  json.key("parts").begin_array();
  for (const Part& part : item.parts) {
    sum += static_cast<double>(part.part);
    json.begin_object().field("name", part.name).field("value", tidy(part.value));
    json.field("part", tidy(part.part)).end_object();
  }
  json.end_array().field("sum_of_parts", tidy(static_cast<float>(sum)));
  json.field("rank_by_model", item.rank_by_model).field("rank_by_rules", item.rank_by_rules);
  json.field("what_would_change_it", what_would_change(decision, item));
}

void write_item(const Decision& decision, const ShownItem& item, bool with_explanation,
                JsonWriter& json) {
  json.begin_object().field("item_id", item.item_id).field("score", tidy(item.score));
  json.field("p", tidy(item.p_click)).field("propensity", item.propensity);
  json.field("source", item.source).key("rules").begin_array();
  for (const std::string& rule : item.rules) json.value(rule);
  json.end_array().field("is_explored", item.is_explored);
  if (with_explanation) write_explanation(decision, item, json);
  json.end_object();
}

}  // namespace

std::string_view policy_name(Policy policy) {
  const auto i = static_cast<std::size_t>(policy);
  return i < kPolicyNames.size() ? kPolicyNames[i] : "unknown";
}

void encode_decision(const Decision& decision, std::string& out) {
  Writer w(out);
  w.u8(kVersion);
  w.str(decision.id);
  w.svarint(to_us(decision.time));
  w.str(decision.placement);
  w.u8(static_cast<std::uint8_t>(decision.policy));
  w.str(decision.reason);
  w.varint(decision.model_version);
  w.f64(decision.outcome_window_s);
  w.u8(decision.is_impression_served ? 1 : 0);
  w.varint(decision.shown.size());
  for (const ShownItem& item : decision.shown) write_shown(item, w);
  w.varint(decision.others.size());
  for (const OtherItem& item : decision.others) {
    w.str(item.item_id);
    w.str(item.source);
    w.f32(item.score);
  }
}

Result<Decision> decode_decision(std::string_view bytes) {
  Reader r(bytes);
  Decision decision;
  if (r.u8() != kVersion) return corrupt("unknown version");
  decision.id = r.str();
  decision.time = time_from_us(r.svarint());
  decision.placement = r.str();
  const std::uint8_t policy = r.u8();
  if (policy >= kPolicyNames.size()) return corrupt("unknown policy");
  decision.policy = static_cast<Policy>(policy);
  decision.reason = r.str();
  decision.model_version = r.varint();
  decision.outcome_window_s = r.f64();
  decision.is_impression_served = r.u8() != 0;
  for (std::uint64_t n = r.varint(); n > 0 && r.ok(); --n) decision.shown.push_back(read_shown(r));
  for (std::uint64_t n = r.varint(); n > 0 && r.ok(); --n) {
    OtherItem& item = decision.others.emplace_back();
    item.item_id = r.str();
    item.source = r.str();
    item.score = r.f32();
  }
  if (!r.ok()) return corrupt("cut short");
  if (!r.done()) return corrupt("bytes left over");
  return decision;
}

std::string decision_json(const Decision& decision, bool with_explanation) {
  std::string out;
  JsonWriter json(out);
  json.begin_object().field("decision_id", decision.id).field("placement", decision.placement);
  json.field("time", format_iso8601(decision.time));
  json.field("policy", policy_name(decision.policy)).field("reason", decision.reason);
  json.field("model_version", decision.model_version).key("items").begin_array();
  for (const ShownItem& item : decision.shown) write_item(decision, item, with_explanation, json);
  json.end_array();
  if (with_explanation) {
    json.key("others").begin_array();
    for (const OtherItem& item : decision.others) {
      json.begin_object().field("item_id", item.item_id).field("source", item.source);
      json.field("score", tidy(item.score)).end_object();
    }
    json.end_array();
  }
  json.end_object();
  return out;
}

}  // namespace attune
