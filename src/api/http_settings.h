// The settings of [server] that the HTTP server takes.
#pragma once
#include <string>

#include "api/http_server.h"
#include "base/config.h"

namespace attune {

struct HttpSettings {
  HttpOptions http;
  std::string listen = "127.0.0.1:8090";
  int drain_s = 10;  // to finish the requests under way when told to stop
};
// Must outlive the config.
void bind(HttpSettings& settings, Config& config);

// What HttpServer::start takes. kInvalid when listen is not HOST:PORT.
Result<HttpOptions> http_options(const HttpSettings& settings);

}  // namespace attune
