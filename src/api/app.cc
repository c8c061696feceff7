#include "api/app.h"

#include <fmt/format.h>
#include <simdjson.h>

#include "base/json.h"
#include "base/version.h"

namespace attune {

struct App::Call {
  HttpRequest request;
  Respond respond;
  std::vector<std::string> arguments;  // values of the {..} parts of the path
  std::string key;
};

struct App::Route {
  std::string_view method;
  std::string_view path;  // "{name}" matches one part
  Scope scope;
  std::string_view summary;
  void (App::*action)(Call&);
};

const std::vector<App::Route>& App::routes() {
  static const std::vector<Route> table = {
      {"POST", "/v1/track", Scope::kWrite, "Store one track event", &App::track},
      {"POST", "/v1/identify", Scope::kWrite, "Store traits of a person", &App::track},
      {"POST", "/v1/page", Scope::kWrite, "Store a page view", &App::track},
      {"POST", "/v1/screen", Scope::kWrite, "Store a screen view", &App::track},
      {"POST", "/v1/group", Scope::kWrite, "Store a group membership", &App::track},
      {"POST", "/v1/alias", Scope::kWrite, "Join two ids of one person", &App::track},
      {"POST", "/v1/batch", Scope::kWrite, "Store many events", &App::track},
      {"POST", "/v1/import", Scope::kWrite, "Store many events", &App::track},
      {"GET", "/v1/spaces/{space}/collections/users/profiles/{person}/{part}", Scope::kRead,
       "Read a person's stored events or traits", &App::read_back},
      {"POST", "/api/v1/decide", Scope::kDecide, "Choose what to show a person", &App::decide},
      {"GET", "/api/v1/decisions/{id}", Scope::kRead, "Explain a decision", &App::explain},
      {"GET", "/api/v1/learning", Scope::kRead, "How well the model does", &App::learning},
      {"POST", "/api/v1/items", Scope::kAdmin, "Store many items", &App::post_items},
      {"PUT", "/api/v1/items/{id}", Scope::kAdmin, "Store an item", &App::put_item},
      {"GET", "/api/v1/items/{id}", Scope::kRead, "Read an item", &App::get_item},
      {"DELETE", "/api/v1/items/{id}", Scope::kAdmin, "Remove an item", &App::delete_item},
      {"PUT", "/api/v1/placements/{name}", Scope::kAdmin, "Store a placement", &App::put_placement},
      {"GET", "/api/v1/persons/{id}", Scope::kRead, "What is known of a person", &App::get_person},
      {"DELETE", "/api/v1/persons/{id}", Scope::kAdmin, "Erase a person", &App::delete_person},
      {"GET", "/metrics", Scope::kNone, "Prometheus metrics", &App::metrics},
      {"GET", "/healthz", Scope::kNone, "Is the process alive", &App::health},
      {"GET", "/readyz", Scope::kNone, "Is it ready to serve", &App::health},
      {"GET", "/openapi.json", Scope::kNone, "This description", &App::serve_openapi},
  };
  return table;
}

namespace {

std::vector<std::string_view> split_path(std::string_view path) {
  std::vector<std::string_view> parts;
  while (!path.empty()) {
    const auto slash = path.find('/', 1);
    parts.push_back(path.substr(1, slash == std::string_view::npos ? slash : slash - 1));
    path = slash == std::string_view::npos ? std::string_view() : path.substr(slash);
  }
  if (parts.size() > 1 && parts.back().empty()) parts.pop_back();  // trailing slash
  return parts;
}

bool matches(std::string_view pattern, const std::vector<std::string_view>& parts,
             std::vector<std::string>& arguments) {
  const auto wanted = split_path(pattern);
  arguments.clear();
  if (wanted.size() != parts.size()) return false;
  for (std::size_t i = 0; i < wanted.size(); ++i) {
    if (wanted[i].starts_with('{')) {
      arguments.emplace_back(parts[i]);
    } else if (wanted[i] != parts[i]) {
      return false;
    }
  }
  return true;
}

struct CodeText {
  Code code;
  int status;
  std::string_view name;
};
constexpr CodeText kCodes[] = {
    {Code::kInvalid, 400, "invalid"},   {Code::kNotFound, 404, "not_found"},
    {Code::kConflict, 409, "conflict"}, {Code::kUnavailable, 503, "unavailable"},
    {Code::kCorrupt, 500, "corrupt"},   {Code::kInternal, 500, "internal"},
};

std::string request_id() {
  static std::atomic<std::uint64_t> next{1};
  return fmt::format("r-{:x}", next.fetch_add(1));
}

HttpResponse make_error(int status, std::string_view code, std::string_view message,
                        std::string_view field, std::string_view hint) {
  HttpResponse response;
  response.status = status;
  JsonWriter json(response.body);
  json.begin_object().key("error").begin_object().field("code", code).field("message", message);
  json.field("field", field).field("hint", hint).field("request_id", request_id());
  json.end_object().end_object();
  if (status == 503 || status == 429) response.headers.emplace_back("Retry-After", "1");
  if (status == 401) response.headers.emplace_back("WWW-Authenticate", "Basic realm=\"attune\"");
  return response;
}

HttpResponse json_response(std::string body) {
  HttpResponse response;
  response.body = std::move(body);
  return response;
}

bool is_browser_path(std::string_view path) { return path.starts_with("/v1/"); }

}  // namespace

HttpResponse error_response(const Error& error) {
  for (const CodeText& text : kCodes) {
    if (text.code == error.code) {
      return make_error(text.status, text.name, error.message, error.field, error.hint);
    }
  }
  return make_error(500, "internal", error.message, error.field, error.hint);
}

HttpResponse error_response(int status, std::string_view code, std::string_view message,
                            std::string_view hint) {
  return make_error(status, code, message, "", hint);
}

App::App(Engine& engine, ApiKeys keys, AppOptions options)
    : engine_(engine), keys_(std::move(keys)), collect_(options.collect) {
  if (options.is_event_clock) {
    collect_.max_past = collect_.max_future = std::chrono::hours(24 * 365 * 100);
  }
}

const App::Route* App::find(const HttpRequest& request, std::vector<std::string>& arguments,
                            bool& is_path_known) const {
  const auto parts = split_path(request.path);
  is_path_known = false;
  for (const Route& route : routes()) {
    if (!matches(route.path, parts, arguments)) continue;
    is_path_known = true;
    if (route.method == request.method) return &route;
  }
  return nullptr;
}

void App::handle(HttpRequest&& request, Respond respond) {
  Call call{.request = std::move(request), .respond = nullptr, .arguments = {}, .key = {}};
  if (is_browser_path(call.request.path)) {
    call.respond = [respond = std::move(respond)](HttpResponse response) {
      response.headers.emplace_back("Access-Control-Allow-Origin", "*");
      respond(std::move(response));
    };
  } else {
    call.respond = std::move(respond);
  }
  if (call.request.method == "OPTIONS" && is_browser_path(call.request.path)) {
    HttpResponse preflight{.status = 204, .body = "", .content_type = "", .headers = {}};
    preflight.headers.emplace_back("Access-Control-Allow-Methods", "POST, OPTIONS");
    preflight.headers.emplace_back("Access-Control-Allow-Headers", "authorization, content-type");
    preflight.headers.emplace_back("Access-Control-Max-Age", "86400");
    return call.respond(std::move(preflight));
  }
  bool is_path_known = false;
  const Route* route = find(call.request, call.arguments, is_path_known);
  if (!route && is_path_known) {
    return call.respond(error_response(405, "method_not_allowed",
                                       call.request.method + " is not possible here",
                                       "see /openapi.json"));
  }
  if (!route) {
    return call.respond(error_response(404, "not_found", "no such route: " + call.request.path,
                                       "see /openapi.json"));
  }
  call.key = key_of(call.request);
  const bool is_key_in_body = route->scope == Scope::kWrite && call.key.empty();
  if (route->scope != Scope::kNone && !is_key_in_body) {
    const std::uint8_t scopes = keys_.scopes_of(call.key);
    const auto wanted = static_cast<std::uint8_t>(route->scope);
    if (scopes == 0) {
      return call.respond(error_response(401, "unauthorized", "unknown or missing key",
                                         "send the key as Basic user name, Bearer or X-API-Key"));
    }
    if ((scopes & (wanted | static_cast<std::uint8_t>(Scope::kAdmin))) == 0) {
      return call.respond(error_response(403, "forbidden", "this key may not do that",
                                         "use a key with that scope"));
    }
  }
  (this->*route->action)(call);
}

void App::track(Call& call) {
  const std::string name(split_path(call.request.path).back());
  const Time now = engine_.now();
  auto parsed = parse_segment(name, call.request.body, now, now, collect_);
  if (!parsed.ok()) return call.respond(error_response(parsed.error()));
  if (call.key.empty() && keys_.scopes_of(parsed->write_key) == 0) {
    return call.respond(error_response(401, "unauthorized", "unknown or missing write key",
                                       "send it as Basic user name or as writeKey"));
  }
  rejected_ += parsed->rejected.size();
  if (name != "batch" && name != "import" && !parsed->rejected.empty()) {
    const Rejection& why = parsed->rejected.front();
    return call.respond(error_response(Error{Code::kInvalid, why.reason, why.field, ""}));
  }
  std::string body;
  JsonWriter json(body);
  json.begin_object().field("success", true);
  if (!parsed->rejected.empty()) {
    json.key("rejected").begin_array();
    for (const Rejection& why : parsed->rejected) {
      json.begin_object().field("index", static_cast<std::uint64_t>(why.index));
      json.field("field", why.field).field("reason", why.reason).end_object();
    }
    json.end_array();
  }
  json.end_object();
  engine_.ingest(std::move(parsed->events),
                 [respond = std::move(call.respond), body](const Result<IngestReport>& report) {
                   respond(report.ok() ? json_response(body) : error_response(report.error()));
                 });
}

namespace {

// Text or number as text; nullopt when absent.
std::optional<std::string> text_of(simdjson::dom::element object, const char* name) {
  std::string_view text;
  if (object[name].get(text) == simdjson::SUCCESS) return std::string(text);
  std::int64_t number = 0;
  if (object[name].get(number) == simdjson::SUCCESS) return std::to_string(number);
  return std::nullopt;
}

Result<DecideRequest> parse_decide(const std::string& body) {
  simdjson::dom::parser parser;
  simdjson::dom::element root;
  const simdjson::padded_string padded(body);
  if (parser.parse(padded).get(root) != simdjson::SUCCESS || !root.is_object()) {
    return Error{Code::kInvalid, "body: must be a JSON object", "body",
                 "{\"person\":\"u-1\",\"n\":5}"};
  }
  DecideRequest request;
  const auto person = text_of(root, "person");
  if (!person) return Error{Code::kInvalid, "person: missing, must be a text", "person", ""};
  request.person_id = *person;
  request.placement = text_of(root, "placement").value_or("default");
  std::int64_t n = 10;
  if (root["n"].error() == simdjson::SUCCESS && root["n"].get(n) != simdjson::SUCCESS) {
    return Error{Code::kInvalid, "n: must be a whole number", "n", ""};
  }
  request.n = static_cast<int>(std::clamp<std::int64_t>(n, -1, 1000));
  simdjson::dom::array candidates;
  if (root["candidates"].error() != simdjson::SUCCESS) return request;
  if (root["candidates"].get(candidates) != simdjson::SUCCESS) {
    return Error{Code::kInvalid, "candidates: must be an array of item ids", "candidates", ""};
  }
  for (const simdjson::dom::element candidate : candidates) {
    std::string_view id;
    if (candidate.get(id) != simdjson::SUCCESS) {
      return Error{Code::kInvalid, "candidates: must be an array of item ids", "candidates", ""};
    }
    request.candidates.emplace_back(id);
  }
  return request;
}

// {"op":NAME,KEY:{"id":ID, ...body}}: a control record from a PUT body.
Result<std::string> control_of(std::string_view op, std::string_view key, std::string_view id_key,
                               std::string_view id, const std::string& body) {
  simdjson::dom::parser parser;
  simdjson::dom::object object;
  const simdjson::padded_string padded(body);
  if (parser.parse(padded).get(object) != simdjson::SUCCESS) {
    return Error{Code::kInvalid, "body: must be a JSON object", "body", ""};
  }
  std::string out;
  JsonWriter json(out);
  json.begin_object().field("op", op).key(key).begin_object().field(id_key, id);
  for (const auto field : object) {
    if (field.key != id_key) json.key(field.key).raw(simdjson::minify(field.value));
  }
  json.end_object().end_object();
  return out;
}

}  // namespace

void App::decide(Call& call) {
  auto request = parse_decide(call.request.body);
  if (!request.ok()) return call.respond(error_response(request.error()));
  auto decision = engine_.decide(*request);
  if (!decision.ok()) return call.respond(error_response(decision.error()));
  call.respond(json_response(decision_json(*decision, false)));
}

void App::explain(Call& call) {
  auto decision = engine_.find_decision(call.arguments[0]);
  if (!decision.ok()) return call.respond(error_response(decision.error()));
  call.respond(json_response(decision_json(*decision, true)));
}

void App::learning(Call& call) { call.respond(json_response(engine_.learning_json())); }

void App::put_item(Call& call) {
  auto change = control_of("put_item", "item", "id", call.arguments[0], call.request.body);
  if (!change.ok()) return call.respond(error_response(change.error()));
  if (const Status done = engine_.control({*change}); !done.ok()) {
    return call.respond(error_response(done.error()));
  }
  call.respond(json_response("{\"success\":true}"));
}

void App::post_items(Call& call) {
  simdjson::dom::parser parser;
  simdjson::dom::array items;
  const simdjson::padded_string padded(call.request.body);
  if (parser.parse(padded).get(items) != simdjson::SUCCESS) {
    return call.respond(
        error_response(Error{Code::kInvalid, "body: must be a JSON array of items", "body", ""}));
  }
  std::vector<std::string> changes;
  for (const simdjson::dom::element item : items) {
    changes.push_back("{\"op\":\"put_item\",\"item\":" + std::string(simdjson::minify(item)) + "}");
  }
  if (const Status done = engine_.control(changes); !done.ok()) {
    return call.respond(error_response(done.error()));
  }
  call.respond(json_response(fmt::format("{{\"success\":true,\"items\":{}}}", changes.size())));
}

void App::get_item(Call& call) {
  const auto catalog = engine_.catalog();
  const Item* item = catalog->find(call.arguments[0]);
  if (!item) {
    return call.respond(
        error_response(Error{Code::kNotFound, "no item " + call.arguments[0], "id", ""}));
  }
  call.respond(json_response(item_json(*item)));
}

void App::delete_item(Call& call) {
  std::string change;
  JsonWriter(change)
      .begin_object()
      .field("op", "delete_item")
      .field("id", call.arguments[0])
      .end_object();
  const Status done = engine_.control({change});
  call.respond(done.ok() ? json_response("{\"success\":true}") : error_response(done.error()));
}

void App::put_placement(Call& call) {
  auto change =
      control_of("put_placement", "placement", "name", call.arguments[0], call.request.body);
  if (!change.ok()) return call.respond(error_response(change.error()));
  const Status done = engine_.control({*change});
  call.respond(done.ok() ? json_response("{\"success\":true}") : error_response(done.error()));
}

namespace {

void write_traits(JsonWriter& json, const Profile& profile) {
  json.key("traits").begin_object();
  for (const auto& [name, value] : profile.traits) json.key(name).raw(value);
  json.end_object();
}

void write_event(JsonWriter& json, const Event& event) {
  json.begin_object().field("type", event.type).field("event", event.name);
  json.field("message_id", event.message_id).field("timestamp", format_iso8601(event.time));
  json.key("properties").raw(event.properties.empty() ? "{}" : event.properties);
  if (!event.traits.empty()) json.key("traits").raw(event.traits);
  if (!event.context.empty()) json.key("context").raw(event.context);
  json.end_object();
}

// "user_id:u-1" or "anonymous_id:a-2"; without a prefix a user id.
std::pair<IdType, std::string_view> typed_id(std::string_view text) {
  constexpr std::string_view kUser = "user_id:";
  constexpr std::string_view kAnonymous = "anonymous_id:";
  if (text.starts_with(kAnonymous)) return {IdType::kAnonymous, text.substr(kAnonymous.size())};
  if (text.starts_with(kUser)) text.remove_prefix(kUser.size());
  return {IdType::kUser, text};
}

constexpr std::string_view kCursor =
    R"("cursor":{"url":"","has_more":false,"next":"","limit":200}})";

}  // namespace

void App::get_person(Call& call) {
  const auto [type, id] = typed_id(call.arguments[0]);
  auto profile = engine_.profile_of(type, id);
  if (!profile.ok()) return call.respond(error_response(profile.error()));
  std::string body;
  JsonWriter json(body);
  json.begin_object().field("id", id);
  write_traits(json, *profile);
  json.key("counts").begin_object();
  for (const auto& [verb, count] : profile->counts) {
    json.field(verb_name(verb), static_cast<double>(count.at(engine_.now())[3]));
  }
  json.end_object().field("touches", static_cast<std::uint64_t>(profile->touches.size()));
  json.field("seen", static_cast<std::uint64_t>(profile->seen.size())).end_object();
  call.respond(json_response(std::move(body)));
}

void App::delete_person(Call& call) {
  const auto [type, id] = typed_id(call.arguments[0]);
  auto receipt = engine_.erase(type, id);
  call.respond(receipt.ok() ? json_response(*receipt) : error_response(receipt.error()));
}

void App::read_back(Call& call) {
  const auto [type, id] = typed_id(call.arguments[1]);
  std::string body = "{\"data\":";
  JsonWriter json(body);
  if (call.arguments[2] == "events") {
    auto events = engine_.events_of(type, id, 200);
    if (!events.ok()) return call.respond(error_response(events.error()));
    json.begin_array();
    for (const Event& event : *events) write_event(json, event);
    json.end_array();
  } else if (call.arguments[2] == "traits") {
    auto profile = engine_.profile_of(type, id);
    if (!profile.ok()) return call.respond(error_response(profile.error()));
    std::string traits = "{";
    JsonWriter inner(traits);
    write_traits(inner, *profile);
    json.raw(traits.substr(traits.find(':') + 1));
  } else {
    return call.respond(error_response(
        Error{Code::kNotFound, "no part " + call.arguments[2], "part", "events or traits"}));
  }
  call.respond(json_response(body + "," + std::string(kCursor)));
}

namespace {

std::string stage_metrics(const StageTimes& stages) {
  constexpr std::string_view kName = "attune_stage_cpu_seconds_total";
  std::string out = fmt::format("# HELP {0} CPU time by stage\n# TYPE {0} counter\n", kName);
  const std::pair<const char*, std::uint64_t> all[] = {{"seal", stages.seal_ns},
                                                       {"append", stages.append_ns},
                                                       {"fold", stages.fold_ns},
                                                       {"tick", stages.tick_ns},
                                                       {"checkpoint", stages.checkpoint_ns}};
  for (const auto& [stage, ns] : all) {
    out += fmt::format("{}{{stage=\"{}\"}} {:.9f}\n", kName, stage, static_cast<double>(ns) / 1e9);
  }
  return out;
}

}  // namespace

void App::metrics(Call& call) {
  const EngineCounts c = engine_.counts();
  struct Metric {
    const char* name;
    const char* type;
    const char* help;
    std::uint64_t value;
  };
  const Metric metrics[] = {
      {"attune_events_total", "counter", "Events stored since the start", c.events},
      {"attune_duplicates_total", "counter", "Events dropped as duplicates", c.duplicates},
      {"attune_rejected_total", "counter", "Events refused as invalid", rejected_.load()},
      {"attune_decisions_total", "counter", "Decisions answered since the start", c.decisions},
      {"attune_ticks_total", "counter", "Ticks in the journal", c.ticks},
      {"attune_model_updates_total", "counter", "Learner steps", c.updates},
      {"attune_identities", "gauge", "Identities with a key", c.identities},
      {"attune_profiles", "gauge", "Profiles in memory", c.profiles},
      {"attune_journal_bytes", "gauge", "Bytes of the journal on disk", c.journal_bytes},
      {"attune_journal_records", "gauge", "Records in the journal", c.journal_records},
  };
  HttpResponse response;
  response.content_type = "text/plain; version=0.0.4; charset=utf-8";
  for (const Metric& m : metrics) {
    response.body +=
        fmt::format("# HELP {0} {1}\n# TYPE {0} {2}\n{0} {3}\n", m.name, m.help, m.type, m.value);
  }
  response.body += stage_metrics(c.stages);
  call.respond(std::move(response));
}

void App::health(Call& call) { call.respond(json_response("{\"status\":\"ok\"}")); }
void App::serve_openapi(Call& call) { call.respond(json_response(openapi())); }

std::string App::openapi() const {
  std::string out;
  JsonWriter json(out);
  json.begin_object().field("openapi", "3.1.0").key("info").begin_object();
  json.field("title", "Attune").field("version", kVersion).end_object().key("paths").begin_object();
  std::vector<std::string_view> written;
  for (const Route& route : routes()) {
    if (std::find(written.begin(), written.end(), route.path) != written.end()) continue;
    written.push_back(route.path);
    json.key(route.path).begin_object();
    for (const Route& same : routes()) {
      if (same.path != route.path) continue;
      std::string method(same.method);
      std::transform(method.begin(), method.end(), method.begin(),
                     [](char c) { return static_cast<char>(c | 0x20); });
      json.key(method).begin_object().field("summary", same.summary);
      json.key("parameters").begin_array();
      for (const std::string_view part : split_path(same.path)) {
        if (!part.starts_with('{')) continue;
        json.begin_object().field("name", part.substr(1, part.size() - 2)).field("in", "path");
        json.field("required", true).key("schema").raw("{\"type\":\"string\"}").end_object();
      }
      json.end_array().key("responses");
      json.raw(R"({"200":{"description":"done"},"default":{"description":"an error object"}})");
      json.end_object();
    }
    json.end_object();
  }
  json.end_object().end_object();
  return out;
}

}  // namespace attune
