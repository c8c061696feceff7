// HttpServer: a small HTTP/1.1 server. Each thread has its own loop and listener (SO_REUSEPORT).
// The handler runs on a loop thread and must not block; it may answer later, from any thread.
#pragma once
#include <array>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"

namespace attune {

struct HttpRequest {
  std::string method;
  std::string path;      // percent-decoded, without the query
  std::string raw_path;  // as it came: an id in it may hold an encoded slash
  std::string query;     // raw, without '?'
  std::string body;      // inflated already if it came as gzip
  std::string request_id;
  std::vector<std::pair<std::string, std::string>> headers;
  // The first header of this name, in any case; empty when there is none.
  std::string_view header(std::string_view name) const;
};

struct HttpResponse {
  int status = 200;
  std::string body = {};
  std::string content_type = "application/json";
  std::vector<std::pair<std::string, std::string>> headers = {};
};

// {"error":{"code","message","field","hint","request_id"}}
struct ErrorText {
  std::string_view code, message, field, hint;
};
HttpResponse http_error(int status, const ErrorText& text, std::string_view request_id);

// Only the first call counts. Dropping every copy uncalled answers 500.
using Respond = std::function<void(HttpResponse)>;
using Handler = std::function<void(HttpRequest&&, Respond)>;

class TlsContext;

struct HttpOptions {
  std::string host = "127.0.0.1";
  std::uint16_t port = 0;  // 0: any free port
  int threads = 1;
  std::size_t max_body_bytes = 512 << 10;
  std::size_t max_inflated_bytes = 2 << 20;
  std::size_t max_header_bytes = 16 << 10;
  int max_inflate_ratio = 200;  // of gzip bodies that become larger than max_body_bytes
  int max_connections = 10000;
  int max_connections_per_address = 2000;
  int idle_timeout_s = 60;
  int header_timeout_s = 10;   // to send the request line and headers
  int request_timeout_s = 15;  // to send the body after them, and to take one response
  std::shared_ptr<const TlsContext> tls = nullptr;  // null = plain HTTP
  // Told of each request answered before it reached the handler: 400, 408, 413, 415, 431, 429, 503.
  std::function<void(int status, std::string_view request_id)> on_refused = nullptr;
};

struct HttpStats {
  std::array<std::uint64_t, 6> by_class{};  // [2]: responses 2xx, and so on
  std::uint64_t open = 0;                   // connections
};

class HttpServer {
 public:
  static Result<std::unique_ptr<HttpServer>> start(HttpOptions options, Handler handler);
  ~HttpServer();  // drain(0)
  HttpServer(const HttpServer&) = delete;
  HttpServer& operator=(const HttpServer&) = delete;
  std::uint16_t port() const;
  // Stops accepting, finishes the requests in flight for at most this long, then stops. Not from
  // a handler. Calling it again does nothing.
  void drain(int seconds);
  HttpStats stats() const;

 private:
  struct Impl;
  explicit HttpServer(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace attune
