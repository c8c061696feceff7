#include "collect/message.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>

#include "base/json.h"

namespace attune {
namespace {

using simdjson::dom::element;
using MaybeFault = std::optional<Fault>;

constexpr auto kSkewTolerance = std::chrono::seconds(60);

std::string number_text(element number) {
  std::int64_t whole = 0;
  if (!number.get_int64().get(whole)) return fmt::format("{}", whole);
  std::uint64_t large = 0;
  if (!number.get_uint64().get(large)) return fmt::format("{}", large);
  double real = 0;
  return number.get_double().get(real) ? std::string() : fmt::format("{}", real);
}

// A string or a number as an id of 1 to 256 bytes.
//   path: how the field is called in a fault
MaybeFault read_id(JsonObject object, const char* name, const std::string& path, std::string& out) {
  element found;
  if (!find_field(object, name, found)) return std::nullopt;
  std::string_view text;
  if (found.is_number()) {
    out = number_text(found);
  } else if (!found.get_string().get(text)) {
    out = text;
  } else {
    return Fault{path, "must be a string or a number"};
  }
  if (out.empty() || out.size() > 256) {
    return Fault{path, fmt::format("must be 1 to 256 bytes, is {}", out.size())};
  }
  if (is_valid_external_id(out)) return std::nullopt;
  return Fault{path, "must be UTF-8 without control characters"};
}

MaybeFault read_string(JsonObject object, const char* name, std::string& out) {
  element found;
  if (!find_field(object, name, found)) return std::nullopt;
  std::string_view text;
  if (found.get_string().get(text)) return Fault{name, "must be a string"};
  out = text;
  return std::nullopt;
}

// Of a field given twice nobody knows which one was meant.
MaybeFault find_twice(JsonObject message) {
  constexpr std::string_view kRead[] = {
      "type",    "event",     "userId", "anonymousId", "previousId",
      "groupId", "messageId", "sentAt", "timestamp",   "originalTimestamp",
      "name",    "category",  "traits", "context",     "properties"};
  unsigned seen = 0;
  for (const auto field : message) {
    const auto found = std::find(std::begin(kRead), std::end(kRead), field.key);
    if (found == std::end(kRead)) continue;
    const unsigned flag = 1U << (found - std::begin(kRead));
    if ((seen & flag) != 0) return Fault{std::string(*found), "is given twice"};
    seen |= flag;
  }
  return std::nullopt;
}

MaybeFault read_type(JsonObject message, std::string_view call, Event& event) {
  event.type = call;
  if (call.empty()) {
    if (auto fault = read_string(message, "type", event.type)) return fault;
    if (event.type.empty()) return Fault{"type", "is required in a batch"};
  }
  if (event.type == "track") return std::nullopt;  // its verb comes with its name
  const auto verb = verb_from_name(event.type);
  if (!verb || *verb < Verb::kIdentify) {
    return Fault{"type", "must be one of track, identify, page, screen, group, alias"};
  }
  event.verb = *verb;
  return std::nullopt;
}

MaybeFault read_person(JsonObject message, Event& event) {
  if (auto fault = read_id(message, "userId", "userId", event.user_id)) return fault;
  if (auto fault = read_id(message, "anonymousId", "anonymousId", event.anonymous_id)) return fault;
  if (event.type == "alias") {
    if (auto fault = read_id(message, "previousId", "previousId", event.previous_id)) return fault;
    if (event.user_id.empty()) return Fault{"userId", "is required in an alias call"};
    if (event.previous_id.empty()) return Fault{"previousId", "is required in an alias call"};
  }
  if (!event.user_id.empty() || !event.anonymous_id.empty()) return std::nullopt;
  return Fault{"userId", "is required, or an anonymousId"};
}

MaybeFault read_name(JsonObject message, const CollectOptions& options, Event& event) {
  if (event.type == "group") {
    if (auto fault = read_id(message, "groupId", "groupId", event.name)) return fault;
    if (event.name.empty()) return Fault{"groupId", "is required in a group call"};
    return std::nullopt;
  }
  if (event.type == "page" || event.type == "screen")
    return read_string(message, "name", event.name);
  if (event.type != "track") return std::nullopt;
  if (auto fault = read_string(message, "event", event.name)) return fault;
  if (event.name.empty()) return Fault{"event", "is required in a track call"};
  const auto& mapping = options.mapping ? *options.mapping : default_event_mapping();
  event.verb = mapping.verb_of(event.name);
  return std::nullopt;
}

std::string span_text(Duration span) {
  constexpr std::int64_t kYearHours = std::int64_t{24} * 365;
  const auto hours = std::chrono::duration_cast<std::chrono::hours>(span).count();
  if (hours > 0 && hours % kYearHours == 0) return fmt::format("{} years", hours / kYearHours);
  if (hours > 0) return fmt::format("{} hours", hours);
  return fmt::format("{} seconds", std::chrono::duration_cast<std::chrono::seconds>(span).count());
}

MaybeFault read_event_time(JsonObject message, const MessageFrame& frame, Event& event) {
  std::optional<Time> stamp;
  std::optional<Time> original;
  std::optional<Time> sent;
  if (auto fault = read_time_field(message, "timestamp", stamp)) return fault;
  if (auto fault = read_time_field(message, "originalTimestamp", original)) return fault;
  if (auto fault = read_time_field(message, "sentAt", sent)) return fault;
  if (!sent) sent = frame.sent_at;
  event.time = frame.received;
  if (!stamp && !original) return std::nullopt;
  event.time = stamp ? *stamp : *original;
  // Small differences are network and not clock: correcting them would only add noise.
  if (sent && std::chrono::abs(frame.received - *sent) > kSkewTolerance) {
    event.time = frame.received - (*sent - (original ? *original : *stamp));
  }
  const auto& options = frame.options;
  if (event.time < frame.now - options.max_past) {
    return Fault{"timestamp", "is more than " + span_text(options.max_past) + " in the past"};
  }
  if (event.time > frame.now + options.max_future) {
    return Fault{"timestamp", "is more than " + span_text(options.max_future) + " in the future"};
  }
  return std::nullopt;
}

// Numbers, and texts that are one as a whole: shops send "39.95".
bool read_number(element found, double& out) {
  double number = 0;
  std::string_view text;
  if (found.is_number()) {
    if (found.get_double().get(number)) return false;
  } else {
    if (found.get_string().get(text)) return false;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error != std::errc() || end != text.data() + text.size()) return false;
  }
  if (!std::isfinite(number)) return false;
  out = number;
  return true;
}

double value_of(JsonObject properties) {
  double value = 0;
  element found;
  for (const char* name : {"value", "revenue", "total", "price"}) {
    if (find_field(properties, name, found) && read_number(found, value)) return value;
  }
  return 0;
}

MaybeFault read_item(JsonObject holder, const std::string& path, std::string& out) {
  if (auto fault = read_id(holder, "item_id", path + ".item_id", out)) return fault;
  if (!out.empty()) return std::nullopt;
  return read_id(holder, "product_id", path + ".product_id", out);
}

MaybeFault read_item_properties(JsonObject properties, Event& event) {
  if (auto fault = read_item(properties, "properties", event.item_id)) return fault;
  element found;
  simdjson::dom::array products;
  JsonObject first;
  if (event.item_id.empty() && find_field(properties, "products", found)) {
    if (found.get_array().get(products)) return Fault{"properties.products", "must be an array"};
    if (products.begin() != products.end()) {
      if ((*products.begin()).get_object().get(first)) {
        return Fault{"properties.products[0]", "must be an object"};
      }
      if (auto fault = read_item(first, "properties.products[0]", event.item_id)) return fault;
    }
  }
  if (find_field(properties, "decision_id", found)) {
    if (!found.is_string()) return Fault{"properties.decision_id", "must be a string"};
    const std::string path = "properties.decision_id";
    if (auto fault = read_id(properties, "decision_id", path, event.decision_id)) return fault;
  }
  event.value = value_of(properties);
  return std::nullopt;
}

// `category` of a page or screen call has no field of its own: it joins the properties.
MaybeFault add_category(JsonObject message, Event& event) {
  std::string category;
  if (auto fault = read_string(message, "category", category)) return fault;
  element properties;
  element own;
  JsonObject object;
  if (category.empty()) return std::nullopt;
  if (find_field(message, "properties", properties) && !properties.get_object().get(object) &&
      !object.at_key("category").get(own)) {
    return std::nullopt;
  }
  std::string text = R"({"category":)";
  append_json_string(text, category);
  text += event.properties.empty() ? "}" : "," + event.properties.substr(1);
  event.properties = std::move(text);
  return std::nullopt;
}

// What the message says comes before what its batch says.
MaybeFault read_context(JsonObject message, const MessageFrame& frame, Event& event) {
  if (auto fault = read_object_field(message, "context", event.context)) return fault;
  if (!frame.context) return std::nullopt;
  element own;
  const bool has_own = !event.context.empty() && find_field(message, "context", own);
  std::string text = has_own ? event.context.substr(0, event.context.size() - 1) : "{";
  element ignored;
  for (const auto field : *frame.context) {
    if (has_own && !own.at_key(field.key).get(ignored)) continue;
    if (text.size() > 1) text += ",";
    append_json_string(text, field.key);
    text.append(":").append(simdjson::minify(field.value));
  }
  if (text.size() > 1) event.context = text + "}";
  return std::nullopt;
}

MaybeFault read_content(JsonObject message, Event& event) {
  if (event.type == "identify" || event.type == "group") {
    return read_object_field(message, "traits", event.traits);
  }
  if (auto fault = read_object_field(message, "properties", event.properties)) return fault;
  element found;
  JsonObject properties;
  if (find_field(message, "properties", found) && !found.get_object().get(properties)) {
    if (auto fault = read_item_properties(properties, event)) return fault;
  }
  const bool is_visit = event.type == "page" || event.type == "screen";
  return is_visit ? add_category(message, event) : std::nullopt;
}

}  // namespace

bool find_field(JsonObject object, std::string_view name, element& out) {
  return !object.at_key(name).get(out) && !out.is_null();
}

std::optional<Fault> read_time_field(JsonObject object, const char* name,
                                     std::optional<Time>& out) {
  element found;
  if (!find_field(object, name, found)) return std::nullopt;
  std::string_view text;
  if (!found.get_string().get(text)) out = parse_iso8601(text);
  if (out) return std::nullopt;
  return Fault{name, "must be an ISO-8601 time such as 2026-11-02T10:11:12.345Z"};
}

std::optional<Fault> read_object_field(JsonObject object, const char* name, std::string& out) {
  element found;
  if (!find_field(object, name, found)) return std::nullopt;
  if (!found.is_object()) return Fault{name, "must be an object"};
  out = simdjson::minify(found);
  if (out == "{}") out.clear();
  return std::nullopt;
}

std::optional<Fault> parse_message(JsonObject message, const MessageFrame& frame, Event& event) {
  if (auto fault = find_twice(message)) return fault;
  if (auto fault = read_type(message, frame.call, event)) return fault;
  if (auto fault = read_id(message, "messageId", "messageId", event.message_id)) return fault;
  if (auto fault = read_person(message, event)) return fault;
  if (auto fault = read_name(message, frame.options, event)) return fault;
  if (auto fault = read_event_time(message, frame, event)) return fault;
  if (auto fault = read_content(message, event)) return fault;
  return read_context(message, frame, event);
}

}  // namespace attune
