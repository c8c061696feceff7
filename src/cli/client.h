// Client: one keep-alive HTTP/1.1 connection, for commands against our own server. Several requests
// may be sent before their answers are received, in order. One thread.
#pragma once
#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"

namespace attune {

struct Answer {
  int status = 0;
  std::string body;
};

class Client {
 public:
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
  int socket_;
  std::string key_;
  std::string buffer_;
};

}  // namespace attune
