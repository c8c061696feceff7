#include "catalog/control.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

#include "catalog/fields.h"

namespace attune {
namespace {

namespace dom = simdjson::dom;

constexpr std::array<std::string_view, 4> kRuleKinds = {"pin", "hide", "boost", "max_per_category"};
constexpr std::array<std::string_view, 6> kRuleFields = {"kind",     "item_id", "category",
                                                         "position", "factor",  "limit"};
constexpr std::array<std::string_view, 14> kPlacementFields = {"name",
                                                               "epsilon",
                                                               "control_share",
                                                               "seen_window_s",
                                                               "outcome_window_s",
                                                               "negative_after_s",
                                                               "is_impression_served",
                                                               "candidates",
                                                               "model",
                                                               "retriever",
                                                               "diversity",
                                                               "freshness",
                                                               "freshness_half_life_s",
                                                               "rules"};
constexpr std::array<std::string_view, 5> kKeyFields = {"id", "name", "hash", "salt", "scopes"};
constexpr std::array<std::string_view, 6> kModelFields = {"name",  "id",    "kind",
                                                          "input", "bytes", "about"};
constexpr std::array<std::string_view, 4> kScopeNames = {"write", "decide", "read", "admin"};
constexpr double kMaxWindow = 366.0 * 86400;
constexpr double kLeastHalfLife = 60;
constexpr std::size_t kMaxRules = 1000;
constexpr std::size_t kMaxReason = 1024;  // bytes

Result<Control> parse_item(dom::object object, Time received) {
  const JsonFields fields(object, "item.");
  Item item;
  TRY_OK(fields.id("id", true, item.id));
  item.key = item_key(item.id);
  TRY_OK(fields.text("category", item.category));
  if (item.category.empty()) {
    std::vector<std::string> categories;
    TRY_OK(fields.texts("categories", categories));
    if (!categories.empty()) item.category = std::move(categories.front());
  }
  if (!item.category.empty() && !is_valid_external_id(item.category)) {
    return fields.wrong("category", "1-256 bytes of UTF-8 without control characters");
  }
  TRY_OK(fields.texts("tags", item.tags));
  TRY_OK(fields.number("price", 0, 1e12, item.price));
  TRY_OK(fields.flag("is_hidden", item.is_hidden));
  item.created = received;
  std::string created;
  TRY_OK(fields.text("created", created));
  if (fields.find("created")) {
    const auto time = parse_iso8601(created);
    if (!time) return fields.wrong("created", "an ISO-8601 time such as 2026-11-02T10:11:12Z");
    item.created = *time;
  }
  item.attributes = simdjson::minify(object);
  return Control(std::move(item));
}

Status check_target(const JsonFields& fields, const Rule& rule, std::string_view kind) {
  if (rule.kind == Rule::Kind::kPin && rule.item_id.empty()) {
    return invalid_field(fields.path("item_id"), "item_id is missing: a pin rule needs one");
  }
  const bool needs_one = rule.kind == Rule::Kind::kHide || rule.kind == Rule::Kind::kBoost;
  if (needs_one && rule.item_id.empty() == rule.category.empty()) {
    return invalid_field(fields.path("item_id"),
                         fmt::format("a {} rule needs either item_id or category", kind));
  }
  if (rule.kind == Rule::Kind::kMaxPerCategory && !fields.find("limit")) {
    return invalid_field(fields.path("limit"),
                         "limit is missing: a max_per_category rule needs one");
  }
  return ok_status();
}

Result<Rule> parse_rule(dom::object object, std::string path) {
  const JsonFields fields(object, std::move(path));
  TRY_OK(fields.only("rule field", kRuleFields));
  if (!fields.find("kind")) return invalid_field(fields.path("kind"), "kind is missing");
  std::string kind;
  TRY_OK(fields.text("kind", kind));
  const auto known = std::find(kRuleKinds.begin(), kRuleKinds.end(), kind);
  if (known == kRuleKinds.end()) {
    return unknown_name("rule kind", kind, kRuleKinds, fields.path("kind"));
  }
  Rule rule;
  rule.kind = static_cast<Rule::Kind>(known - kRuleKinds.begin());
  TRY_OK(fields.id("item_id", false, rule.item_id));
  TRY_OK(fields.id("category", false, rule.category));
  TRY_OK(fields.integer("position", 0, 1000, rule.position));
  TRY_OK(fields.integer("limit", 1, 1000, rule.limit));
  TRY_OK(fields.number("factor", -1e9, 1e9, rule.factor));
  if (!(rule.factor > 0)) {
    return invalid_field(fields.path("factor"),
                         fmt::format("factor is {}, must be > 0", rule.factor));
  }
  TRY_OK(check_target(fields, rule, kind));
  return rule;
}

Status parse_rules(const JsonFields& fields, std::vector<Rule>& out) {
  const auto element = fields.find("rules");
  if (!element) return ok_status();
  dom::array array;
  if (element->get(array)) return fields.wrong("rules", "an array of objects");
  for (const auto member : array) {
    dom::object object;
    if (member.get(object)) return fields.wrong("rules", "an array of objects");
    if (out.size() == kMaxRules) {
      return invalid_field(fields.path("rules"), fmt::format("more than {} rules", kMaxRules));
    }
    TRY(Rule rule, parse_rule(object, fmt::format("{}[{}].", fields.path("rules"), out.size())));
    out.push_back(std::move(rule));
  }
  return ok_status();
}

Status check_model_name(const JsonFields& fields, std::string_view field, std::string_view name) {
  if (is_model_name(name)) return ok_status();
  return fields.wrong(field, "1-64 of a-z, 0-9, - and _, a letter first");
}

Result<Control> parse_placement(dom::object object) {
  const JsonFields fields(object, "placement.");
  TRY_OK(fields.only("placement field", kPlacementFields));
  Placement p;
  TRY_OK(fields.id("name", false, p.name));
  TRY_OK(fields.number("epsilon", 0, 1, p.epsilon));
  TRY_OK(fields.number("control_share", 0, 1, p.control_share));
  TRY_OK(fields.number("seen_window_s", 0, kMaxWindow, p.seen_window_s));
  TRY_OK(fields.number("outcome_window_s", 0, kMaxWindow, p.outcome_window_s));
  TRY_OK(fields.number("negative_after_s", 0, kMaxWindow, p.negative_after_s));
  TRY_OK(fields.flag("is_impression_served", p.is_impression_served));
  TRY_OK(fields.integer("candidates", 1, 100000, p.candidates));
  TRY_OK(fields.text("model", p.model));
  if (!p.model.empty()) TRY_OK(check_model_name(fields, "model", p.model));
  TRY_OK(fields.text("retriever", p.retriever));
  if (!p.retriever.empty()) TRY_OK(check_model_name(fields, "retriever", p.retriever));
  TRY_OK(fields.number("diversity", 0, 1, p.diversity));
  TRY_OK(fields.number("freshness", 0, 1, p.freshness));
  TRY_OK(fields.number("freshness_half_life_s", kLeastHalfLife, 10 * kMaxWindow,
                       p.freshness_half_life_s));
  TRY_OK(parse_rules(fields, p.rules));
  return Control(std::move(p));
}

Status hex(const JsonFields& fields, std::string_view name, std::size_t size, std::string& out) {
  TRY_OK(fields.text(name, out));
  const bool is_hex = out.find_first_not_of("0123456789abcdef") == std::string::npos;
  if (out.size() == size && is_hex) return ok_status();
  return fields.wrong(name, fmt::format("{} hexadecimal digits", size));
}

Result<Control> parse_key(dom::object object, Time received) {
  const JsonFields fields(object, "key.");
  TRY_OK(fields.only("key field", kKeyFields));
  StoredKey key;
  TRY_OK(fields.id("id", true, key.id));
  TRY_OK(fields.text("name", key.name));
  if (key.name.size() > 256) return fields.wrong("name", "at most 256 bytes");
  TRY_OK(hex(fields, "hash", 64, key.hash));
  TRY_OK(hex(fields, "salt", 32, key.salt));
  std::vector<std::string> scopes;
  TRY_OK(fields.texts("scopes", scopes));
  for (const std::string& name : scopes) {
    const auto scope = scope_from_name(name);
    if (!scope) return unknown_name("scope", name, kScopeNames, fields.path("scopes"));
    key.scopes |= bit(*scope);
  }
  if (key.scopes == 0) return fields.wrong("scopes", "at least one of write, decide, read, admin");
  key.created = received;
  return Control(std::move(key));
}

// Short words that say what a model is: no list of them, so that newer kinds can be registered.
Status word(const JsonFields& fields, std::string_view name, std::string& out) {
  TRY_OK(fields.id(name, true, out));
  return out.size() <= 64 ? ok_status() : Status(fields.wrong(name, "at most 64 bytes"));
}

Result<Control> parse_model(dom::object object) {
  const JsonFields fields(object, "model.");
  TRY_OK(fields.only("model field", kModelFields));
  RegisterModel model;
  TRY_OK(fields.text("name", model.name));
  TRY_OK(check_model_name(fields, "name", model.name));
  TRY_OK(fields.text("id", model.version.id));
  if (!is_model_id(model.version.id)) {
    return fields.wrong("id", "the id of a model file, m_ and 26 letters and digits");
  }
  TRY_OK(word(fields, "kind", model.version.kind));
  TRY_OK(word(fields, "input", model.version.input));
  double bytes = 0;
  TRY_OK(fields.number("bytes", 0, 1e15, bytes));
  model.version.bytes = static_cast<std::uint64_t>(bytes);
  if (const auto about = fields.find("about")) {
    dom::object said;
    if (about->get(said)) return fields.wrong("about", "an object");
    model.version.about = simdjson::minify(said);
    if (model.version.about.size() > ModelRegistry::kMostAboutBytes) {
      return fields.wrong("about", fmt::format("at most {} bytes", ModelRegistry::kMostAboutBytes));
    }
  }
  return Control(std::move(model));
}

// What promotes, rolls back and removes have in common.
Status model_change(const JsonFields& fields, std::string& name, std::string* reason,
                    std::uint32_t* version) {
  TRY_OK(fields.text("name", name));
  TRY_OK(check_model_name(fields, "name", name));
  if (reason != nullptr) {
    TRY_OK(fields.text("reason", *reason));
    if (reason->size() > kMaxReason) return fields.wrong("reason", "at most 1024 bytes");
  }
  if (version == nullptr) return ok_status();
  int number = 0;
  if (!fields.find("version")) return invalid_field("version", "version is missing");
  TRY_OK(fields.integer("version", 1, 1'000'000'000, number));
  *version = static_cast<std::uint32_t>(number);
  return ok_status();
}

Result<dom::object> body(const JsonFields& fields, std::string_view name) {
  const auto element = fields.find(name);
  if (!element) return invalid_field(std::string(name), fmt::format("{} is missing", name));
  dom::object object;
  if (element->get(object)) return fields.wrong(name, "an object");
  return object;
}

// The fields of a control record, by its "op".
struct Op {
  std::string_view name;
  Result<Control> (*parse)(const JsonFields& fields, Time received);
};

constexpr Op kOps[] = {
    {"put_item",
     [](const JsonFields& fields, Time received) -> Result<Control> {
       TRY(const dom::object item, body(fields, "item"));
       return parse_item(item, received);
     }},
    {"delete_item",
     [](const JsonFields& fields, Time) -> Result<Control> {
       DeleteItem gone;
       TRY_OK(fields.id("id", true, gone.id));
       return Control(std::move(gone));
     }},
    {"put_placement",
     [](const JsonFields& fields, Time) -> Result<Control> {
       TRY(const dom::object placement, body(fields, "placement"));
       return parse_placement(placement);
     }},
    {"put_key",
     [](const JsonFields& fields, Time received) -> Result<Control> {
       TRY(const dom::object key, body(fields, "key"));
       return parse_key(key, received);
     }},
    {"revoke_key",
     [](const JsonFields& fields, Time) -> Result<Control> {
       RevokeKey revoked;
       TRY_OK(fields.id("id", true, revoked.id));
       return Control(std::move(revoked));
     }},
    {"put_plan",
     [](const JsonFields& fields, Time) -> Result<Control> {
       if (!fields.find("plan")) return invalid_field("plan", "plan is missing");
       PutPlan plan;
       TRY_OK(fields.text("plan", plan.toml));
       return Control(std::move(plan));
     }},
    {"register_model",
     [](const JsonFields& fields, Time) -> Result<Control> {
       TRY(const dom::object model, body(fields, "model"));
       return parse_model(model);
     }},
    {"promote_model",
     [](const JsonFields& fields, Time) -> Result<Control> {
       PromoteModel promoted;
       TRY_OK(model_change(fields, promoted.name, &promoted.reason, &promoted.version));
       return Control(std::move(promoted));
     }},
    {"roll_back_model",
     [](const JsonFields& fields, Time) -> Result<Control> {
       RollBackModel back;
       TRY_OK(model_change(fields, back.name, &back.reason, nullptr));
       return Control(std::move(back));
     }},
    {"remove_model",
     [](const JsonFields& fields, Time) -> Result<Control> {
       RemoveModel gone;
       TRY_OK(model_change(fields, gone.name, nullptr, &gone.version));
       return Control(std::move(gone));
     }},
    {"challenge_model",
     [](const JsonFields& fields, Time) -> Result<Control> {
       ChallengeModel challenge;
       TRY_OK(model_change(fields, challenge.name, &challenge.reason, &challenge.version));
       TRY_OK(fields.number("share", 0, ModelRegistry::kMostShare, challenge.share));
       TRY_OK(fields.flag("promote_when_better", challenge.promotes));
       return Control(std::move(challenge));
     }},
    {"retire_challenger",
     [](const JsonFields& fields, Time) -> Result<Control> {
       RetireChallenger retired;
       TRY_OK(model_change(fields, retired.name, &retired.reason, nullptr));
       return Control(std::move(retired));
     }},
    {"teach_model",
     [](const JsonFields& fields, Time) -> Result<Control> {
       TeachModel taught;
       TRY_OK(model_change(fields, taught.name, &taught.reason, &taught.version));
       TRY_OK(fields.flag("is_learning", taught.is_learning));
       return Control(std::move(taught));
     }},
};

std::vector<std::string_view> op_names() {
  std::vector<std::string_view> names;
  for (const Op& op : kOps) names.push_back(op.name);
  return names;
}

}  // namespace

Result<Control> parse_control(std::string_view json, Time received) {
  const simdjson::padded_string padded(json);
  dom::parser parser;
  dom::element root;
  if (const auto error = parser.parse(padded).get(root)) {
    return invalid_field("", fmt::format("not JSON: {}", simdjson::error_message(error)));
  }
  dom::object object;
  if (root.get(object)) return invalid_field("", "a control record must be a JSON object");
  const JsonFields fields(object, "");
  if (!fields.find("op")) return invalid_field("op", "op is missing");
  std::string name;
  TRY_OK(fields.text("op", name));
  for (const Op& op : kOps) {
    if (op.name == name) return op.parse(fields, received);
  }
  return unknown_name("op", name, op_names(), "op");
}

}  // namespace attune
