#include "collect/segment.h"

#include <fmt/format.h>
#include <simdjson.h>

#include <algorithm>

#include "collect/json_body.h"
#include "collect/message.h"

namespace attune {
namespace {

using simdjson::dom::element;
using simdjson::dom::parser;

Error invalid(std::string_view field, std::string message) {
  return {Code::kInvalid, std::move(message), std::string(field)};
}

void parse_one(element found, std::size_t index, const MessageFrame& frame, bool may_be_large,
               ParsedBatch& out) {
  const auto reject = [&](Fault fault) {
    out.rejected.push_back({index, std::move(fault.field), std::move(fault.reason)});
  };
  JsonObject message;
  if (found.get_object().get(message)) return reject({"message", "must be an object"});
  const std::size_t limit = frame.options.max_message_bytes;
  if (may_be_large) {
    const std::size_t size = simdjson::minify(found).size();
    if (size > limit) {
      return reject({"message", fmt::format("is {} bytes, the limit is {}", size, limit)});
    }
  }
  Event event;
  if (auto fault = parse_message(message, frame, event)) return reject(std::move(*fault));
  out.events.push_back(std::move(event));
  out.indexes.push_back(index);
}

Status parse_batch(JsonObject request, MessageFrame frame, bool may_be_large, ParsedBatch& out) {
  element found;
  simdjson::dom::array messages;
  if (!find_field(request, "batch", found)) return invalid("batch", "is required");
  if (found.get_array().get(messages)) return invalid("batch", "must be an array");
  const auto count = static_cast<std::size_t>(std::distance(messages.begin(), messages.end()));
  if (count == 0) return invalid("batch", "must hold at least one message");
  if (count > frame.options.max_messages) {
    return invalid("batch", fmt::format("holds {} messages, the limit is {}", count,
                                        frame.options.max_messages));
  }
  if (auto fault = read_time_field(request, "sentAt", frame.sent_at)) {
    return invalid(fault->field, fault->reason);
  }
  if (find_field(request, "context", found)) {
    JsonObject context;
    if (found.get_object().get(context)) return invalid("context", "must be an object");
    frame.context = context;
  }
  out.events.reserve(count);
  out.indexes.reserve(count);
  std::size_t index = 0;
  for (const element message : messages) parse_one(message, index++, frame, may_be_large, out);
  return ok_status();
}

bool is_call(std::string_view call) {
  constexpr std::string_view kCalls[] = {"track", "identify", "page", "screen", "group", "alias"};
  return std::find(std::begin(kCalls), std::end(kCalls), call) != std::end(kCalls);
}

}  // namespace

Result<ParsedBatch> parse_segment(std::string_view call, std::string_view body, Time received,
                                  Time now, const CollectOptions& options) {
  const bool is_batch = call == "batch" || call == "import";
  if (!is_batch && !is_call(call)) return invalid("call", "no such call: " + std::string(call));
  if (body.size() > options.max_body_bytes) {
    return invalid(
        "body", fmt::format("is {} bytes, the limit is {}", body.size(), options.max_body_bytes));
  }
  thread_local parser json;
  TRY(const element root, parse_json_body(json, body, options.max_depth));
  JsonObject request;
  if (root.get_object().get(request)) return invalid("body", "must be a JSON object");
  ParsedBatch out;
  element key;
  if (find_field(request, "writeKey", key)) {
    std::string_view text;
    if (key.get_string().get(text)) return invalid("writeKey", "must be a string");
    out.write_key = text;
  }
  const MessageFrame frame{is_batch ? std::string_view() : call, {}, {}, received, now, options};
  const bool may_be_large = body.size() > options.max_message_bytes;
  if (is_batch) {
    TRY_OK(parse_batch(request, frame, may_be_large, out));
  } else {
    parse_one(root, 0, frame, may_be_large, out);
  }
  return out;
}

std::uint8_t denied_purposes_of(std::string_view context_json, bool& has_consent) {
  has_consent = false;
  // Most contexts say nothing about consent: skip the parsing.
  if (context_json.find("categoryPreferences") == std::string_view::npos) return 0;
  thread_local parser json;
  JsonObject choices;
  const auto root = parse_json_body(json, context_json, 64);
  if (!root.ok() || root->at_pointer("/consent/categoryPreferences").get_object().get(choices)) {
    return 0;
  }
  has_consent = true;
  unsigned denied = 0;
  for (const auto choice : choices) {
    bool is_granted = false;
    if (!choice.value.get_bool().get(is_granted) && is_granted) continue;
    const std::string name = ascii_lower(choice.key);
    if (name == "analytics") denied |= kAnalyticsPurpose;
    if (name == "personalization" || name == "personalisation") denied |= kPersonalizationPurpose;
    if (name == "advertising") denied |= kAdvertisingPurpose;
    if (name == "storage") denied |= kStoragePurpose;
  }
  return static_cast<std::uint8_t>(denied);
}

}  // namespace attune
