// Client: one keep-alive HTTP/1.1 connection, for commands against our own server. Several requests
// may be sent before their answers are received, in order. One thread.
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "api/tls.h"
#include "base/result.h"

namespace attune {

struct Answer {
  int status = 0;
  std::string body;
};

struct ServerAddress {
  bool is_https = false;
  std::string host;
  std::uint16_t port = 0;
};
// "http://HOST:PORT" or "https://HOST:PORT"; kInvalid otherwise.
Result<ServerAddress> parse_server(std::string_view url);

class Client {
 public:
  // Over https the server's certificate must lead to one the system trusts; SSL_CERT_FILE names
  // another file of such.
  static Result<Client> connect(const ServerAddress& address, std::string key);
  // host: a name or an address.
  static Result<Client> connect(const std::string& host, std::uint16_t port, std::string key);
  Client(Client&& other) noexcept;
  Client& operator=(Client&&) = delete;
  ~Client();
  Status send(std::string_view method, std::string_view path, std::string_view body);
  // The body of the next answer when it is a 200; anything else is an error that holds the answer.
  Result<std::string> receive();
  Result<Answer> receive_any();
  // send(), then receive().
  Result<std::string> call(std::string_view method, std::string_view path, std::string_view body);

 private:
  Client(int socket, std::string key) : socket_(socket), key_(std::move(key)) {}
  Status shake_hands(const std::string& host);
  Status send_bytes(std::string_view bytes);
  Status receive_some();  // into buffer_
  int socket_;
  std::optional<TlsChannel> tls_;
  std::string key_;
  std::string buffer_;
};

}  // namespace attune
