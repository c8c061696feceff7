#include "api/call.h"

#include <fmt/format.h>

#include <cmath>

#include "api/http_text.h"
#include "api/routes.h"

namespace attune {
namespace {

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

// A key that everybody can read in a page of another origin, yet may do more than write.
bool is_exposed(const Call& call) {
  const auto origin = call.request.header("origin");
  if (origin.empty() || call.route->scope != Scope::kWrite) return false;
  const auto scheme = origin.find("://");
  const auto host = scheme == std::string_view::npos ? origin : origin.substr(scheme + 3);
  return call.key.scopes != bit(Scope::kWrite) && host != call.request.header("host");
}

// Refusals of a rate are many by their nature; what is not there may just have been asked for.
LogLevel level_of(int status, bool is_slow) {
  if (status >= 500 && status != 503) return LogLevel::kError;
  if (status == 503 || is_slow) return LogLevel::kWarn;
  return status == 429 || status == 404 ? LogLevel::kDebug : LogLevel::kInfo;
}

}  // namespace

void Call::answer(std::string json) {
  HttpResponse response;
  response.body = std::move(json);
  answer(std::move(response));
}

void Call::answer(HttpResponse response, std::string_view code) {
  const double took_s = services->clock_s() - begin_s;
  if (route != nullptr) {
    const auto index = static_cast<std::size_t>(route - routes().data());
    services->meters.add_request(index, response.status, took_s);
  }
  log(response.status, took_s, code);
  for (auto& header : headers) response.headers.push_back(std::move(header));
  respond(std::move(response));
}

void Call::fail(const Error& error) {
  for (const CodeText& text : kCodes) {
    if (text.code == error.code) {
      return fail(text.status, text.name, error.message, error.field, error.hint);
    }
  }
}

void Call::fail(int status, std::string_view code, std::string_view message, std::string_view field,
                std::string_view hint) {
  if (status == 503) headers.emplace_back("Retry-After", "1");
  if (status == 401) headers.emplace_back("WWW-Authenticate", "Basic realm=\"attune\"");
  answer(http_error(status, {code, message, field, hint}, request.request_id), code);
}

// The pattern of a path and never the path, which holds ids; codes and never messages, likewise.
void Call::log(int status, double seconds, std::string_view code) const {
  if (services->log == nullptr) return;
  const double ms = seconds * 1000;
  const auto slow_ms = static_cast<double>(services->options.slow_request_ms);
  const bool is_slow = slow_ms > 0 && ms >= slow_ms;
  if (!is_slow && status < 400) return;
  const LogLevel level = level_of(status, is_slow);
  const std::string_view event = status >= 500   ? "request_failed"
                                 : status >= 400 ? "request_refused"
                                                 : "request_slow";
  const std::string_view path = route == nullptr ? "none" : route->path;
  const std::string_view method = route == nullptr ? "none" : route->method;
  services->log->write(level, event,
                       {{"request_id", request.request_id},
                        {"method", method},
                        {"route", path},
                        {"status", status},
                        {"code", code},
                        {"ms", fmt::format("{:.1f}", ms)}});
}

bool Call::authorise(std::string_view key_text) {
  constexpr std::string_view kHint = "send the key as Basic user name, Bearer or X-API-Key";
  if (key_text.empty()) {
    fail(401, "unauthorized", "this route needs a key", "", kHint);
    return false;
  }
  key = services->keys.find(key_text);
  if (key.is_revoked) {
    fail(401, "key_revoked", "this key was revoked", "", "use a key that is in force");
  } else if (key.scopes == 0) {
    fail(401, "unauthorized", "this key is unknown", "", kHint);
  } else if (!key.may(route->scope)) {
    fail(403, "forbidden",
         fmt::format("this key may not do that: it has {}, this needs {}",
                     fmt::join(scope_names(key.scopes), ", "), scope_names(bit(route->scope))[0]),
         "", "use a key with that scope");
  } else if (is_exposed(*this)) {
    fail(403, "not_for_browsers", "this key may do more than write: it must not be in a page", "",
         "make a key with the scope write alone for pages, and revoke this one");
  } else {
    return true;
  }
  return false;
}

bool Call::take(RateLimit& limit, double n, std::string_view what) {
  if ((key.scopes & bit(Scope::kAdmin)) != 0) return true;
  const double wait_s = limit.take(key.id, n);
  if (wait_s == 0) return true;
  const auto retry_s = static_cast<std::int64_t>(std::ceil(wait_s));
  headers.emplace_back("Retry-After", std::to_string(retry_s));
  fail(429, "too_many_requests", fmt::format("this key sends too many {} a second", what), "",
       fmt::format("wait {} s, or raise api.{}_per_s", retry_s, what));
  return false;
}

bool Call::take_requests(double n) { return take(services->requests, n, "requests"); }
bool Call::take_events(double n) { return take(services->events, n, "events"); }

}  // namespace attune
