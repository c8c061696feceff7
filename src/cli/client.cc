#include "cli/client.h"

#include <fmt/format.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <charconv>
#include <memory>

namespace attune {
namespace {

Error no_server(const std::string& host, std::uint16_t port) {
  return {Code::kUnavailable, fmt::format("no server answers at {}:{}", host, port), "server",
          "start it with attune serve, and name its address"};
}

Error lost() { return {Code::kUnavailable, "the connection to the server was lost", "", ""}; }

// Value of Content-Length in a lower-case or usual spelling; 0 when absent.
std::size_t content_length(std::string_view head) {
  for (const std::string_view name : {"Content-Length: ", "content-length: "}) {
    const auto at = head.find(name);
    if (at != std::string_view::npos)
      return std::strtoul(head.data() + at + name.size(), nullptr, 10);
  }
  return 0;
}

}  // namespace

Result<ServerAddress> parse_server(std::string_view url) {
  const Error wrong{Code::kInvalid,
                    fmt::format("--server {}: must be http://HOST:PORT or https://HOST:PORT", url),
                    "server", "for example --server http://127.0.0.1:8090"};
  const bool is_https = url.starts_with("https://");
  if (!is_https && !url.starts_with("http://")) return wrong;
  url.remove_prefix(is_https ? 8 : 7);
  if (url.ends_with('/')) url.remove_suffix(1);
  const auto colon = url.rfind(':');
  if (colon == std::string_view::npos || colon == 0) return wrong;
  if (url.find('/') != std::string_view::npos) return wrong;
  ServerAddress address{.is_https = is_https, .host = std::string(url.substr(0, colon))};
  const std::string_view port = url.substr(colon + 1);
  const auto [end, error] = std::from_chars(port.data(), port.data() + port.size(), address.port);
  if (error != std::errc() || end != port.data() + port.size() || address.port == 0) return wrong;
  return address;
}

Result<Client> Client::connect(const ServerAddress& address, std::string key) {
  TRY(Client client, connect(address.host, address.port, std::move(key)));
  if (address.is_https) TRY_OK(client.shake_hands(address.host));
  return client;
}

Status Client::shake_hands(const std::string& host) {
  TRY(TlsChannel channel, TlsChannel::client(host));
  tls_.emplace(std::move(channel));
  for (;;) {
    const auto step = tls_->handshake();
    TRY_OK(send_bytes(tls_->take_output()));
    if (step == TlsChannel::Step::kDone) return ok_status();
    if (step != TlsChannel::Step::kMore) {
      return Error{Code::kUnavailable, fmt::format("https with {}: {}", host, tls_->why()),
                   "server", "SSL_CERT_FILE=FILE names certificates to trust; or is it http://?"};
    }
    char chunk[16384];
    const ssize_t got = ::recv(socket_, chunk, sizeof chunk, 0);
    if (got <= 0) return lost();
    tls_->feed({chunk, static_cast<std::size_t>(got)});
  }
}

Result<Client> Client::connect(const std::string& host, std::uint16_t port, std::string key) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* all = nullptr;
  const std::string service = std::to_string(port);
  if (::getaddrinfo(host.c_str(), service.c_str(), &hints, &all) != 0) return no_server(host, port);
  const std::unique_ptr<addrinfo, void (*)(addrinfo*)> owner(all, ::freeaddrinfo);
  int socket = -1;
  for (const addrinfo* one = all; one != nullptr && socket < 0; one = one->ai_next) {
    socket = ::socket(one->ai_family, one->ai_socktype | SOCK_CLOEXEC, one->ai_protocol);
    if (socket < 0 || ::connect(socket, one->ai_addr, one->ai_addrlen) == 0) continue;
    ::close(socket);
    socket = -1;
  }
  if (socket < 0) return no_server(host, port);
  const int on = 1;
  ::setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  return Client(socket, std::move(key));
}

Client::Client(Client&& other) noexcept
    : socket_(std::exchange(other.socket_, -1)),
      tls_(std::move(other.tls_)),
      key_(std::move(other.key_)),
      buffer_(std::move(other.buffer_)) {}

Client::~Client() {
  if (socket_ >= 0) ::close(socket_);
}

Status Client::send(std::string_view method, std::string_view path, std::string_view body) {
  const std::string request =
      fmt::format("{} {} HTTP/1.1\r\nHost: attune\r\nX-API-Key: {}\r\nContent-Length: {}\r\n\r\n{}",
                  method, path, key_, body.size(), body);
  if (!tls_) return send_bytes(request);
  if (!tls_->write(request)) return lost();
  return send_bytes(tls_->take_output());
}

Status Client::send_bytes(std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t sent = ::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent <= 0) return lost();
    bytes.remove_prefix(static_cast<std::size_t>(sent));
  }
  return ok_status();
}

Status Client::receive_some() {
  char chunk[16384];
  const ssize_t got = ::recv(socket_, chunk, sizeof chunk, 0);
  if (got <= 0) return lost();
  const std::string_view bytes(chunk, static_cast<std::size_t>(got));
  if (!tls_) {
    buffer_.append(bytes);
    return ok_status();
  }
  tls_->feed(bytes);
  const auto step = tls_->read(buffer_);
  const bool is_alive = step == TlsChannel::Step::kDone || step == TlsChannel::Step::kMore;
  return is_alive ? ok_status() : Status(lost());
}

Result<Answer> Client::receive_any() {
  std::size_t head_end = std::string::npos, wanted = 0;
  while (true) {
    if (head_end == std::string::npos) {
      head_end = buffer_.find("\r\n\r\n");
      if (head_end != std::string::npos) {
        wanted = head_end + 4 + content_length(std::string_view(buffer_).substr(0, head_end));
      }
    }
    if (head_end != std::string::npos && buffer_.size() >= wanted) break;
    TRY_OK(receive_some());
  }
  Answer answer{std::atoi(buffer_.c_str() + 9),
                buffer_.substr(head_end + 4, wanted - head_end - 4)};
  buffer_.erase(0, wanted);
  return answer;
}

Result<std::string> Client::receive() {
  TRY(Answer answer, receive_any());
  if (answer.status == 200) return std::move(answer.body);
  return Error{Code::kInternal,
               fmt::format("the server answered {}: {}", answer.status, answer.body), "", ""};
}

Result<std::string> Client::call(std::string_view method, std::string_view path,
                                 std::string_view body) {
  TRY_OK(send(method, path, body));
  return receive();
}

}  // namespace attune
