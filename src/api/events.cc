// Events in, as Segment and RudderStack clients send them, and read back.
#include <charconv>

#include "api/body.h"
#include "api/handlers.h"
#include "api/routes.h"
#include "base/json.h"
#include "event/event_json.h"

namespace attune {
namespace {

constexpr std::size_t kMostEvents = 200;  // of one answer

CollectOptions collect_options(const ApiOptions& options) {
  CollectOptions collect = options.collect;
  if (options.is_event_clock) {
    collect.max_past = collect.max_future = std::chrono::hours(24 * 365 * 100);
  }
  return collect;
}

std::string batch_answer(const std::vector<Rejection>& rejected) {
  std::string body;
  JsonWriter json(body);
  json.begin_object().field("success", true);
  if (!rejected.empty()) {
    json.key("rejected").begin_array();
    for (const Rejection& why : rejected) {
      json.begin_object().field("index", static_cast<std::uint64_t>(why.index));
      json.field("field", why.field).field("reason", why.reason).end_object();
    }
    json.end_array();
  }
  json.end_object();
  return body;
}

// ?limit=N, in [1, kMostEvents].
Result<std::size_t> limit_of(std::string_view query) {
  if (query.empty()) return kMostEvents;
  std::size_t limit = 0;
  constexpr std::string_view kName = "limit=";
  const auto number = query.starts_with(kName) ? query.substr(kName.size()) : std::string_view();
  const auto [end, error] = std::from_chars(number.data(), number.data() + number.size(), limit);
  const bool is_number = error == std::errc() && end == number.data() + number.size();
  if (!number.empty() && is_number && limit >= 1 && limit <= kMostEvents) return limit;
  return Error{Code::kInvalid, "limit must be a whole number in [1, 200]", "limit",
               "the one query parameter here: ?limit=50"};
}

std::string cursor(std::size_t limit) {
  return R"("cursor":{"url":"","has_more":false,"next":"","limit":)" + std::to_string(limit) + "}}";
}

Result<std::string> events_json(Engine& engine, IdType type, std::string_view id,
                                std::size_t limit) {
  TRY(const std::vector<Event> events, engine.events_of(type, id, limit));
  std::string body = "{\"data\":[";
  for (const Event& event : events) {
    if (body.back() != '[') body += ",";
    body += event_json(event);
  }
  return body + "]," + cursor(limit);
}

Result<std::string> traits_json(Engine& engine, IdType type, std::string_view id) {
  TRY(const Profile profile, engine.profile_of(type, id));
  std::string body = "{\"data\":";
  JsonWriter json(body);
  json.begin_object();
  for (const auto& [name, value] : profile.traits) json.key(name).raw(value);
  json.end_object();
  return body + "," + cursor(kMostEvents);
}

}  // namespace

void store_events(const CallPtr& call) {
  const Time now = call->engine().now();
  const std::string_view name = call->route->operation;
  auto parsed =
      parse_segment(name, call->request.body, now, now, collect_options(call->services->options));
  if (!parsed.ok()) {
    call->services->meters.add_rejected(parsed.error().field);
    return call->fail(with_field_named(parsed.error()));
  }
  if (call->key.id.empty()) {
    if (!call->authorise(parsed->write_key) || !call->take_requests(1)) return;
  }
  for (const Rejection& why : parsed->rejected) call->services->meters.add_rejected(why.field);
  const bool is_batch = name == "batch" || name == "import";
  if (!is_batch && !parsed->rejected.empty()) {
    const Rejection& why = parsed->rejected.front();
    return call->fail(with_field_named({Code::kInvalid, why.reason, why.field}));
  }
  if (!call->take_events(static_cast<double>(parsed->events.size()))) return;
  std::string body = batch_answer(parsed->rejected);
  Engine& engine = call->engine();
  engine.ingest(std::move(parsed->events),
                [call, body = std::move(body)](const Result<IngestReport>& report) {
                  report.ok() ? call->answer(body) : call->fail(report.error());
                });
}

void read_back(const CallPtr& call) {
  const auto [type, id] = typed_id(call->arguments[1]);
  const std::string& part = call->arguments[2];
  const auto limit = limit_of(call->request.query);
  if (!limit.ok()) return call->fail(limit.error());
  if (part != "events" && part != "traits") {
    return call->fail({Code::kNotFound, "no part of this name", "part", "events or traits"});
  }
  auto body = part == "events" ? events_json(call->engine(), type, id, *limit)
                               : traits_json(call->engine(), type, id);
  body.ok() ? call->answer(std::move(*body)) : call->fail(body.error());
}

}  // namespace attune
