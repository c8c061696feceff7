// Call: one request under way: what its handler reads, and how it answers. It is passed by a
// shared pointer: whoever answers later keeps it. One thread at a time.
#pragma once
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "api/http_server.h"
#include "api/keys.h"
#include "api/meters.h"
#include "api/options.h"
#include "api/rate_limit.h"
#include "base/log.h"
#include "engine/engine.h"

namespace attune {

struct Route;

// What handlers work with. Safe to share.
struct Services {
  Engine& engine;
  ApiKeys& keys;
  const ApiOptions options;
  Log* const log;  // null = nothing is logged
  const std::function<double()> clock_s;
  RateLimit requests;
  RateLimit events;
  Meters meters;
};

struct Call {
  HttpRequest request;
  Services* services = nullptr;
  const Route* route = nullptr;                              // null: no such route
  std::vector<std::string> arguments;                        // values of the {..} parts of the path
  KeyMatch key;                                              // unknown until checked
  std::vector<std::pair<std::string, std::string>> headers;  // added to any answer
  Respond respond;
  double begin_s = 0;

  Engine& engine() const { return services->engine; }
  // Each call is answered once, with one of these.
  void answer(std::string json);
  void answer(HttpResponse response, std::string_view code = "ok");
  void done() { answer(std::string("{\"success\":true}")); }
  void fail(const Error& error);
  void fail(int status, std::string_view code, std::string_view message, std::string_view field,
            std::string_view hint);

  // For handlers whose key came only with the body. False: the call has been answered.
  bool authorise(std::string_view key_text);
  // False: too many, and the call has been answered 429.
  bool take_requests(double n);
  bool take_events(double n);

 private:
  bool take(RateLimit& limit, double n, std::string_view what);
  void log(int status, double seconds, std::string_view code) const;
};
using CallPtr = std::shared_ptr<Call>;

}  // namespace attune
