#include "catalog/control.h"

#include <fmt/format.h>
#include <simdjson.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <optional>
#include <span>
#include <utility>

namespace attune {
namespace {

namespace dom = simdjson::dom;
using Names = std::span<const std::string_view>;

constexpr std::array<std::string_view, 3> kOps = {"put_item", "delete_item", "put_placement"};
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
constexpr double kMaxWindow = 366.0 * 86400;
constexpr std::size_t kMaxRules = 1000;

Error invalid(std::string field, std::string message) {
  return Error{Code::kInvalid, std::move(message), std::move(field)};
}

// Levenshtein distance.
std::size_t distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j) row[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    std::size_t diagonal = std::exchange(row[0], i);
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t swap = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
      diagonal = row[j];
      row[j] = std::min({swap, row[j] + 1, row[j - 1] + 1});
    }
  }
  return row.back();
}

Error unknown(std::string_view what, std::string_view name, Names known, std::string field) {
  const auto shown = name.substr(0, 64);
  const auto nearest = *std::min_element(known.begin(), known.end(), [&](auto a, auto b) {
    return distance(shown, a) < distance(shown, b);
  });
  Error error = invalid(std::move(field), fmt::format("unknown {} \"{}\", nearest known is \"{}\"",
                                                      what, shown, nearest));
  error.hint = fmt::format("known: {}", fmt::join(known, ", "));
  return error;
}

// The fields of one JSON object; a null counts as absent. path: of the object, for errors.
class Fields {
 public:
  Fields(dom::object object, std::string path) : object_(object), path_(std::move(path)) {}

  std::string path(std::string_view name) const { return fmt::format("{}{}", path_, name); }

  std::optional<dom::element> find(std::string_view name) const {
    dom::element found;
    if (object_.at_key(name).get(found) || found.is_null()) return std::nullopt;
    return found;
  }
  Status text(std::string_view name, std::string& out) const {
    const auto element = find(name);
    if (!element) return ok_status();
    std::string_view view;
    if (element->get(view)) return wrong(name, "a string");
    out = view;
    return ok_status();
  }
  // An external id; absent is an error when is_required.
  Status id(std::string_view name, bool is_required, std::string& out) const {
    if (!find(name)) {
      if (!is_required) return ok_status();
      return invalid(path(name), fmt::format("{} is missing", name));
    }
    TRY_OK(text(name, out));
    if (is_valid_external_id(out)) return ok_status();
    return invalid(path(name),
                   fmt::format("{} must be 1-256 bytes of UTF-8 without control characters", name));
  }
  Status flag(std::string_view name, bool& out) const {
    const auto element = find(name);
    if (element && element->get(out)) return wrong(name, "true or false");
    return ok_status();
  }
  Status number(std::string_view name, double low, double high, double& out) const {
    const auto element = find(name);
    if (!element) return ok_status();
    double value = 0;
    if (element->get(value)) return wrong(name, "a number");
    if (!(value >= low && value <= high)) {
      return invalid(path(name),
                     fmt::format("{} is {}, must be in [{}, {}]", name, value, low, high));
    }
    out = value;
    return ok_status();
  }
  Status integer(std::string_view name, int low, int high, int& out) const {
    const auto element = find(name);
    if (!element) return ok_status();
    std::int64_t value = 0;
    if (element->get(value)) return wrong(name, "a whole number");
    if (value < low || value > high) {
      return invalid(path(name),
                     fmt::format("{} is {}, must be in [{}, {}]", name, value, low, high));
    }
    out = static_cast<int>(value);
    return ok_status();
  }
  Status only(std::string_view what, Names known) const {
    for (const auto field : object_) {
      if (std::find(known.begin(), known.end(), field.key) == known.end()) {
        return unknown(what, field.key, known, path(field.key.substr(0, 64)));
      }
    }
    return ok_status();
  }
  Error wrong(std::string_view name, std::string_view expected) const {
    return invalid(path(name), fmt::format("{} must be {}", name, expected));
  }

 private:
  dom::object object_;
  std::string path_;
};

// An array of strings.
Status texts(const Fields& fields, std::string_view name, std::vector<std::string>& out) {
  const auto element = fields.find(name);
  if (!element) return ok_status();
  dom::array array;
  if (element->get(array)) return fields.wrong(name, "an array of strings");
  for (const auto member : array) {
    std::string_view text;
    if (member.get(text)) return fields.wrong(name, "an array of strings");
    out.emplace_back(text);
  }
  return ok_status();
}

Result<Control> parse_item(dom::object object, Time received) {
  const Fields fields(object, "item.");
  Item item;
  TRY_OK(fields.id("id", true, item.id));
  item.key = item_key(item.id);
  TRY_OK(fields.text("category", item.category));
  if (item.category.empty()) {
    std::vector<std::string> categories;
    TRY_OK(texts(fields, "categories", categories));
    if (!categories.empty()) item.category = std::move(categories.front());
  }
  if (!item.category.empty() && !is_valid_external_id(item.category)) {
    return fields.wrong("category", "1-256 bytes of UTF-8 without control characters");
  }
  TRY_OK(texts(fields, "tags", item.tags));
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

Status check_target(const Fields& fields, const Rule& rule, std::string_view kind) {
  if (rule.kind == Rule::Kind::kPin && rule.item_id.empty()) {
    return invalid(fields.path("item_id"), "item_id is missing: a pin rule needs one");
  }
  const bool needs_one = rule.kind == Rule::Kind::kHide || rule.kind == Rule::Kind::kBoost;
  if (needs_one && rule.item_id.empty() == rule.category.empty()) {
    return invalid(fields.path("item_id"),
                   fmt::format("a {} rule needs either item_id or category", kind));
  }
  if (rule.kind == Rule::Kind::kMaxPerCategory && !fields.find("limit")) {
    return invalid(fields.path("limit"), "limit is missing: a max_per_category rule needs one");
  }
  return ok_status();
}

Result<Rule> parse_rule(dom::object object, std::string path) {
  const Fields fields(object, std::move(path));
  TRY_OK(fields.only("rule field", kRuleFields));
  if (!fields.find("kind")) return invalid(fields.path("kind"), "kind is missing");
  std::string kind;
  TRY_OK(fields.text("kind", kind));
  const auto known = std::find(kRuleKinds.begin(), kRuleKinds.end(), kind);
  if (known == kRuleKinds.end()) {
    return unknown("rule kind", kind, kRuleKinds, fields.path("kind"));
  }
  Rule rule;
  rule.kind = static_cast<Rule::Kind>(known - kRuleKinds.begin());
  TRY_OK(fields.id("item_id", false, rule.item_id));
  TRY_OK(fields.id("category", false, rule.category));
  TRY_OK(fields.integer("position", 0, 1000, rule.position));
  TRY_OK(fields.integer("limit", 1, 1000, rule.limit));
  TRY_OK(fields.number("factor", -1e9, 1e9, rule.factor));
  if (!(rule.factor > 0)) {
    return invalid(fields.path("factor"), fmt::format("factor is {}, must be > 0", rule.factor));
  }
  TRY_OK(check_target(fields, rule, kind));
  return rule;
}

Status parse_rules(const Fields& fields, std::vector<Rule>& out) {
  const auto element = fields.find("rules");
  if (!element) return ok_status();
  dom::array array;
  if (element->get(array)) return fields.wrong("rules", "an array of objects");
  for (const auto member : array) {
    dom::object object;
    if (member.get(object)) return fields.wrong("rules", "an array of objects");
    if (out.size() == kMaxRules) {
      return invalid(fields.path("rules"), fmt::format("more than {} rules", kMaxRules));
    }
    TRY(Rule rule, parse_rule(object, fmt::format("{}[{}].", fields.path("rules"), out.size())));
    out.push_back(std::move(rule));
  }
  return ok_status();
}

Result<Control> parse_placement(dom::object object) {
  const Fields fields(object, "placement.");
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

Result<dom::object> body(const Fields& fields, std::string_view name) {
  const auto element = fields.find(name);
  if (!element) return invalid(std::string(name), fmt::format("{} is missing", name));
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
    return invalid("", fmt::format("not JSON: {}", simdjson::error_message(error)));
  }
  dom::object object;
  if (root.get(object)) return invalid("", "a control record must be a JSON object");
  const Fields fields(object, "");
  if (!fields.find("op")) return invalid("op", "op is missing");
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
  return unknown("op", op, kOps, "op");
}

}  // namespace attune
