#include "event/decision.h"

#include <array>
#include <charconv>

#include "base/bytes.h"
#include "base/json.h"
#include "event/would_change.h"

namespace attune {
namespace {

// 2: ranks; 3: context. Written as they are needed, so that most decisions stay small: 4 with
// dials, 5 with a registered model and a mark for dials.
constexpr std::uint8_t kPlain = 3, kWithDials = 4, kVersion = 5;
constexpr std::array<std::string_view, 4> kPolicyNames = {"learned", "control", "random",
                                                          "fallback"};

void write_shown(const ShownItem& item, bool has_dials, Writer& w) {
  w.str(item.item_id);
  w.str(item.source);
  w.f32(item.score);
  w.f32(item.p_click);
  w.f64(item.propensity);
  w.svarint(item.rank_by_model);
  w.svarint(item.rank_by_boosts);
  w.svarint(item.rank_by_rules);
  w.varint(item.instead);
  if (has_dials) {
    w.svarint(item.rank_by_diversity);
    w.f32(item.freshness);
    w.f32(item.diversity);
    w.f32(item.instead_score);
  }
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

ShownItem read_shown(Reader& r, std::uint8_t version, bool has_dials) {
  ShownItem item;
  item.item_id = r.str();
  item.source = r.str();
  item.score = r.f32();
  item.p_click = r.f32();
  item.propensity = r.f64();
  item.rank_by_model = static_cast<std::int32_t>(r.svarint());
  item.rank_by_boosts = static_cast<std::int32_t>(r.svarint());
  item.rank_by_rules = item.rank_by_boosts;  // version 1 has but this one
  if (version > 1) {
    item.rank_by_rules = static_cast<std::int32_t>(r.svarint());
    item.instead = static_cast<std::uint32_t>(r.varint());
  }
  item.rank_by_diversity = item.rank_by_rules;
  if (has_dials) {
    item.rank_by_diversity = static_cast<std::int32_t>(r.svarint());
    item.freshness = r.f32();
    item.diversity = r.f32();
    item.instead_score = r.f32();
  }
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

void write_change(const std::optional<WouldChange>& change, JsonWriter& json) {
  json.key("would_change");
  if (!change) {
    json.null();
    return;
  }
  json.begin_object().field("part", change->part).field("from", change->from);
  json.field("to", change->to).field("then", change->then).end_object();
}

// What the dials did: freshness is within the score, diversity comes after it.
void write_dials(const ShownItem& item, JsonWriter& json) {
  json.field("rank_by_diversity", item.rank_by_diversity);
  json.field("freshness_factor", tidy(item.freshness));
  json.field("diversity_factor", tidy(item.diversity));
  json.field("score_by_diversity", double{item.score} * double{item.diversity});
}

void write_explanation(const Decision& decision, std::size_t place, JsonWriter& json) {
  const ShownItem& item = decision.shown[place];
  double sum = 0;
  json.key("parts").begin_array();
  for (const Part& part : item.parts) {
    sum += static_cast<double>(part.part);
    json.begin_object().field("name", part.name).field("value", tidy(part.value));
    json.field("part", tidy(part.part)).end_object();
  }
  json.end_array().field("sum_of_parts", sum);
  json.field("rank_by_model", item.rank_by_model).field("rank_by_boosts", item.rank_by_boosts);
  json.field("rank_by_rules", item.rank_by_rules);
  if (decision.has_dials) write_dials(item, json);
  json.field("rank_shown", static_cast<int>(place));
  write_change(would_change(decision, item), json);
  json.field("what_would_change_it", would_change_sentence(decision, item));
}

void write_item(const Decision& decision, std::size_t place, bool with_explanation,
                JsonWriter& json) {
  const ShownItem& item = decision.shown[place];
  json.begin_object().field("item_id", item.item_id).field("score", tidy(item.score));
  json.field("p", tidy(item.p_click)).field("propensity", item.propensity);
  json.field("source", item.source).key("rules").begin_array();
  for (const std::string& rule : item.rules) json.value(rule);
  json.end_array().field("is_explored", item.is_explored);
  if (with_explanation) write_explanation(decision, place, json);
  json.end_object();
}

}  // namespace

std::string_view policy_name(Policy policy) {
  const auto i = static_cast<std::size_t>(policy);
  return i < kPolicyNames.size() ? kPolicyNames[i] : "unknown";
}

void encode_decision(const Decision& decision, std::string& out) {
  Writer w(out);
  w.u8(!decision.model.empty() ? kVersion : decision.has_dials ? kWithDials : kPlain);
  w.str(decision.id);
  w.svarint(to_us(decision.time));
  w.str(decision.placement);
  w.u8(static_cast<std::uint8_t>(decision.policy));
  w.str(decision.reason);
  w.varint(decision.model_version);
  if (!decision.model.empty()) {
    w.str(decision.model);
    w.u8(decision.has_dials ? 1 : 0);
  }
  w.f64(decision.outcome_window_s);
  w.str(decision.context);
  w.svarint(decision.utc_offset_s);
  w.u8(decision.is_impression_served ? 1 : 0);
  w.varint(decision.shown.size());
  for (const ShownItem& item : decision.shown) write_shown(item, decision.has_dials, w);
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
  const std::uint8_t version = r.u8();
  if (version == 0 || version > kVersion) return corrupt("unknown version");
  decision.has_dials = version == kWithDials;
  decision.id = r.str();
  decision.time = time_from_us(r.svarint());
  decision.placement = r.str();
  const std::uint8_t policy = r.u8();
  if (policy >= kPolicyNames.size()) return corrupt("unknown policy");
  decision.policy = static_cast<Policy>(policy);
  decision.reason = r.str();
  decision.model_version = r.varint();
  if (version == kVersion) {
    decision.model = r.str();
    decision.has_dials = r.u8() != 0;
  }
  decision.outcome_window_s = r.f64();
  if (version > 2) {
    decision.context = r.str();
    decision.utc_offset_s = static_cast<std::int32_t>(r.svarint());
  }
  decision.is_impression_served = r.u8() != 0;
  for (std::uint64_t n = r.varint(); n > 0 && r.ok(); --n) {
    decision.shown.push_back(read_shown(r, version, decision.has_dials));
  }
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
  json.field("model", decision.model.empty() ? "live" : decision.model);
  json.field("model_version", decision.model_version);
  if (with_explanation && !decision.context.empty()) json.key("context").raw(decision.context);
  json.key("items").begin_array();
  for (std::size_t place = 0; place < decision.shown.size(); ++place) {
    write_item(decision, place, with_explanation, json);
  }
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
