// The settings of [server] that the HTTP server takes.
#pragma once
#include <memory>
#include <string>

#include "api/http_server.h"
#include "api/tls.h"
#include "base/config.h"

namespace attune {

struct HttpSettings {
  HttpOptions http;
  std::string listen = "127.0.0.1:8090";
  TlsFiles tls;            // both empty: plain HTTP
  std::string workspaces;  // folder of several; "" = the one of [workspace]
  int drain_s = 10;        // to finish the requests under way when told to stop
};
// Must outlive the config.
void bind(HttpSettings& settings, Config& config);

// Null when no certificate is set; kInvalid when one of the two files is.
Result<std::shared_ptr<TlsContext>> load_tls(const HttpSettings& settings, Time now);
// What HttpServer::start takes, but for tls. kInvalid when listen is not HOST:PORT.
Result<HttpOptions> http_options(const HttpSettings& settings);

}  // namespace attune
