#include "api/app.h"

#include <chrono>

#include "api/handlers.h"

namespace attune {
namespace {

constexpr std::size_t kSlowThreads = 2;
constexpr std::size_t kMostWaiting = 64;

double steady_s() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

// Bodies are JSON whatever is said of them: RudderStack names forms, beacons plain text, and so
// does curl -d. What cannot be JSON is refused.
bool may_be_json(std::string_view type) {
  type = type.substr(0, type.find(';'));
  while (type.ends_with(' ')) type.remove_suffix(1);
  return type.empty() || type.ends_with("json") || type == "text/plain" ||
         type == "application/x-www-form-urlencoded" || type == "application/octet-stream";
}

bool names_origin(std::string_view allowed, std::string_view origin) {
  while (!allowed.empty()) {
    const auto end = allowed.find(' ');
    if (allowed.substr(0, end) == origin) return true;
    allowed = end == std::string_view::npos ? std::string_view() : allowed.substr(end + 1);
  }
  return false;
}

std::string_view path_of(const HttpRequest& request) {
  return request.raw_path.empty() ? request.path : request.raw_path;
}

std::function<double()> clock_of(const ApiOptions& options) {
  return options.clock_s ? options.clock_s : steady_s;
}

}  // namespace

HttpResponse no_route(const HttpRequest& request, const FoundRoute& found) {
  if (!found.allowed.empty()) {
    const std::string what = request.method + " is not possible here";
    const std::string hint = "possible: " + found.allowed;
    auto response = http_error(405, {"method_not_allowed", what, "", hint}, request.request_id);
    response.headers.emplace_back("Allow", found.allowed);
    return response;
  }
  const std::string meant = nearest_route(path_of(request));
  const std::string what = "no such route: " + request.path.substr(0, 200);
  const std::string hint = meant.empty() ? "see /openapi.json" : "did you mean " + meant + "?";
  return http_error(404, {"not_found", what, "", hint}, request.request_id);
}

App::App(Engine& engine, ApiKeys& keys, ApiOptions options, Log* log)
    : services_{.engine = engine,
                .keys = keys,
                .options = options,
                .log = log,
                .clock_s = clock_of(options),
                .requests = {options.requests_per_s, options.rate_burst_s, clock_of(options)},
                .events = {options.events_per_s, options.rate_burst_s, clock_of(options)},
                .meters = Meters(routes().size())},
      slow_lane_(kSlowThreads, kMostWaiting) {}

void App::handle(HttpRequest&& request, Respond respond) {
  const auto call = std::make_shared<Call>();
  call->request = std::move(request);
  call->respond = std::move(respond);
  call->services = &services_;
  call->begin_s = services_.clock_s();
  FoundRoute found = find_route(call->request.method, path_of(call->request));
  if (call->request.method == "OPTIONS") {
    found = find_route("POST", path_of(call->request));
    if (found.route != nullptr && found.route->scope == Scope::kWrite) return preflight(*call);
    found.route = nullptr;
  }
  if (found.route == nullptr) {
    const std::string_view code = found.allowed.empty() ? "not_found" : "method_not_allowed";
    return call->answer(no_route(call->request, found), code);
  }
  call->route = found.route;
  call->arguments = std::move(found.arguments);
  if (admit(*call)) run(call);
}

void App::note_refused(int status, std::string_view request_id) {
  services_.meters.add_refused(status);
  if (services_.log == nullptr) return;
  services_.log->write(LogLevel::kInfo, "request_refused",
                       {{"request_id", request_id}, {"route", "none"}, {"status", status}});
}

bool App::allows_origin(std::string_view origin) const {
  const std::string& allowed = services_.options.cors_origins;
  return allowed == "*" || names_origin(allowed, origin);
}

// False: the call has been answered.
bool App::admit(Call& call) {
  if (call.route->scope == Scope::kWrite && !check_origin(call)) return false;
  const bool has_body = !call.route->request.empty();
  if (has_body && !may_be_json(call.request.header("content-type"))) {
    call.fail(415, "unsupported_media_type", "the body must be JSON", "", "application/json");
    return false;
  }
  if (call.route->scope == Scope::kNone) return true;
  const std::string key = key_of(call.request);
  // The body may name a write key: its handler will see to it.
  if (call.route->scope == Scope::kWrite && key.empty()) return true;
  return call.authorise(key) && call.take_requests(1);
}

// Pages may send events from the origins allowed. What is no page says no origin.
bool App::check_origin(Call& call) const {
  const std::string_view origin = call.request.header("origin");
  if (origin.empty()) return true;
  const std::string& allowed = services_.options.cors_origins;
  if (!allows_origin(origin)) {
    call.fail(403, "origin_not_allowed", "pages of this origin may not send events", "",
              "add it to api.cors_origins");
    return false;
  }
  call.headers.emplace_back("Access-Control-Allow-Origin", allowed == "*" ? "*" : origin);
  call.headers.emplace_back("Access-Control-Expose-Headers", "Retry-After, X-Request-Id");
  if (allowed != "*") call.headers.emplace_back("Vary", "Origin");
  return true;
}

void App::preflight(Call& call) const {
  if (!check_origin(call)) return;
  call.headers.emplace_back("Access-Control-Allow-Methods", "POST, OPTIONS");
  call.headers.emplace_back("Access-Control-Allow-Headers",
                            "authorization, content-type, content-encoding, anonymousid, "
                            "x-api-key, x-retry-count");
  call.headers.emplace_back("Access-Control-Max-Age", "86400");
  call.answer({.status = 204, .body = "", .content_type = "", .headers = {}});
}

void App::run(CallPtr call) {
  const auto action = call->route->action;
  if (call->route->pace == Pace::kQuick) return action(std::move(call));
  const bool is_taken = slow_lane_.post([action, call] {
    try {
      action(call);
    } catch (...) {
      call->fail(500, "internal", "the server failed on this request", "",
                 "retry; if it stays, report the request_id");
    }
  });
  if (!is_taken) call->fail({Code::kUnavailable, "too many slow requests are waiting", "", ""});
}

}  // namespace attune
