#include "api/http_settings.h"

#include <fmt/format.h>

#include <charconv>

namespace attune {

void bind(HttpSettings& settings, Config& config) {
  HttpOptions& http = settings.http;
  config.text("server.listen", settings.listen, "HOST:PORT",
              "Address to serve on: an IP address and a port; 0.0.0.0 is every network.");
  config.text("server.workspaces", settings.workspaces, "",
              "Folder whose folders are workspaces: all are served, the key of a request chooses. "
              "Each may hold an attune.toml of its own. Empty: the one of workspace.path.");
  config.text(
      "server.tls_cert", settings.tls.certificate, "",
      "PEM file of the certificate and those that lead to its root: serve HTTPS. Read again "
      "when it changes and on SIGHUP.");
  config.text("server.tls_key", settings.tls.key, "", "PEM file of its private key.");
  config.number("server.threads", http.threads, {1, 64}, "", "HTTP threads.");
  config.number("server.drain_s", settings.drain_s, {0, 3600}, "s",
                "Time for the requests under way when told to stop.");
  config.number("server.max_body_bytes", http.max_body_bytes, {1024, 1u << 30}, "bytes",
                "Largest body of a request as sent.");
  config.number("server.max_inflated_bytes", http.max_inflated_bytes, {1024, 1u << 30}, "bytes",
                "Largest body of a request that came as gzip, after unpacking.");
  config.number("server.max_header_bytes", http.max_header_bytes, {1024, 1 << 20}, "bytes",
                "Largest request line and headers.");
  config.number("server.max_inflate_ratio", http.max_inflate_ratio, {1, 100'000}, "",
                "Times a gzip body may grow when it becomes larger than max_body_bytes.");
  config.number("server.max_connections", http.max_connections, {1, 1'000'000}, "",
                "Connections open at once; more are refused.");
  config.number("server.max_connections_per_address", http.max_connections_per_address,
                {1, 1'000'000}, "", "Connections of one address open at once; more are refused.");
  config.number("server.idle_timeout_s", http.idle_timeout_s, {1, 3600}, "s",
                "A connection without a request is closed after this.");
  config.number("server.header_timeout_s", http.header_timeout_s, {1, 3600}, "s",
                "Time to send the request line and headers.");
  config.number("server.request_timeout_s", http.request_timeout_s, {1, 3600}, "s",
                "Time to send the body after them, and to take one response.");
}

Result<std::shared_ptr<TlsContext>> load_tls(const HttpSettings& settings, Time now) {
  const TlsFiles& files = settings.tls;
  if (files.certificate.empty() && files.key.empty()) return std::shared_ptr<TlsContext>();
  if (files.certificate.empty() || files.key.empty()) {
    const char* const absent = files.key.empty() ? "server.tls_key" : "server.tls_cert";
    return Error{Code::kInvalid, fmt::format("{} is not set, the other of the two is", absent),
                 absent, "name both: --tls-cert FILE --tls-key FILE"};
  }
  return TlsContext::load(files, now);
}

Result<HttpOptions> http_options(const HttpSettings& settings) {
  HttpOptions options = settings.http;
  const std::string& listen = settings.listen;
  const auto colon = listen.rfind(':');
  const std::string_view port =
      colon == std::string::npos ? std::string_view() : std::string_view(listen).substr(colon + 1);
  const auto [end, error] =
      std::from_chars(port.data(), port.data() + port.size(), options.port, 10);
  if (port.empty() || colon == 0 || error != std::errc() || end != port.data() + port.size()) {
    return Error{Code::kInvalid, "server.listen is " + listen + ", must be HOST:PORT",
                 "server.listen", "for example --listen 127.0.0.1:8090"};
  }
  options.host = listen.substr(0, colon);
  if (options.host.starts_with('[') && options.host.ends_with(']')) {
    options.host = options.host.substr(1, options.host.size() - 2);  // IPv6
  }
  return options;
}

}  // namespace attune
