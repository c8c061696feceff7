#include "catalog/control.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

#include "catalog/fields.h"

namespace attune {
namespace {

namespace dom = simdjson::dom;

constexpr std::array<std::string_view, 5> kOps = {"put_item", "delete_item", "put_placement",
                                                  "put_key", "revoke_key"};
constexpr std::array<std::string_view, 4> kRuleKinds = {"pin", "hide", "boost", "max_per_category"};
constexpr std::array<std::string_view, 6> kRuleFields = {"kind",     "item_id", "category",
                                                         "position", "factor",  "limit"};
constexpr std::array<std::string_view, 8> kPlacementFields = {"name",
                                                              "epsilon",
                                                              "control_share",
                                                              "seen_window_s",
                                                              "outcome_window_s",
                                                              "is_impression_served",
                                                              "candidates",
                                                              "rules"};
constexpr std::array<std::string_view, 5> kKeyFields = {"id", "name", "hash", "salt", "scopes"};
constexpr std::array<std::string_view, 4> kScopeNames = {"write", "decide", "read", "admin"};
constexpr double kMaxWindow = 366.0 * 86400;
constexpr std::size_t kMaxRules = 1000;

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

Result<Control> parse_placement(dom::object object) {
  const JsonFields fields(object, "placement.");
  TRY_OK(fields.only("placement field", kPlacementFields));
  Placement p;
  TRY_OK(fields.id("name", false, p.name));
  TRY_OK(fields.number("epsilon", 0, 1, p.epsilon));
  TRY_OK(fields.number("control_share", 0, 1, p.control_share));
  TRY_OK(fields.number("seen_window_s", 0, kMaxWindow, p.seen_window_s));
  TRY_OK(fields.number("outcome_window_s", 0, kMaxWindow, p.outcome_window_s));
  TRY_OK(fields.flag("is_impression_served", p.is_impression_served));
  TRY_OK(fields.integer("candidates", 1, 100000, p.candidates));
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

Result<dom::object> body(const JsonFields& fields, std::string_view name) {
  const auto element = fields.find(name);
  if (!element) return invalid_field(std::string(name), fmt::format("{} is missing", name));
  dom::object object;
  if (element->get(object)) return fields.wrong(name, "an object");
  return object;
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
  std::string op;
  TRY_OK(fields.text("op", op));
  if (op == "put_item") {
    TRY(const dom::object item, body(fields, "item"));
    return parse_item(item, received);
  }
  if (op == "delete_item") {
    DeleteItem gone;
    TRY_OK(fields.id("id", true, gone.id));
    return Control(std::move(gone));
  }
  if (op == "put_placement") {
    TRY(const dom::object placement, body(fields, "placement"));
    return parse_placement(placement);
  }
  if (op == "put_key") {
    TRY(const dom::object key, body(fields, "key"));
    return parse_key(key, received);
  }
  if (op == "revoke_key") {
    RevokeKey revoked;
    TRY_OK(fields.id("id", true, revoked.id));
    return Control(std::move(revoked));
  }
  return unknown_name("op", op, kOps, "op");
}

}  // namespace attune
