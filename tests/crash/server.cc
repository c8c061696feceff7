#include "server.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <charconv>
#include <chrono>
#include <utility>

namespace attune::crash {
namespace {

constexpr std::string_view kListens = " on http://127.0.0.1:";

[[noreturn]] void become(const std::string& program, const std::string& workspace, int says) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  ::dup2(says, 2);
  ::setenv("ATTUNE_WRITE_KEY", "write", 1);
  ::setenv("ATTUNE_API_KEY", "read", 1);
  ::setenv("ATTUNE_ADMIN_KEY", "admin", 1);
  ::execl(program.c_str(), program.c_str(), "serve", "--workspace", workspace.c_str(), "--listen",
          "127.0.0.1:0", nullptr);
  ::_exit(127);
}

}  // namespace

Result<Server> Server::start(const std::string& program, const std::string& workspace) {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) return Error{Code::kUnavailable, "no pipe"};
  const auto begin = std::chrono::steady_clock::now();
  Server server;
  server.pid_ = ::fork();
  if (server.pid_ == 0) become(program, workspace, ends[1]);
  ::close(ends[1]);
  server.says_ = ends[0];
  TRY_OK(server.wait_until_ready());
  server.ready_s_ = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  return server;
}

Server::Server(Server&& other) noexcept
    : pid_(std::exchange(other.pid_, -1)),
      says_(std::exchange(other.says_, -1)),
      port_(other.port_),
      ready_s_(other.ready_s_) {}

Status Server::wait_until_ready() {
  std::string said;
  std::array<char, 512> bytes{};
  while (said.find('\n', said.find(kListens)) == std::string::npos ||
         said.find(kListens) == std::string::npos) {
    const ssize_t n = ::read(says_, bytes.data(), bytes.size());
    if (n <= 0) return Error{Code::kUnavailable, "the server ended: " + said};
    said.append(bytes.data(), static_cast<std::size_t>(n));
  }
  const char* const number = said.data() + said.find(kListens) + kListens.size();
  std::from_chars(number, said.data() + said.size(), port_);
  return ok_status();
}

void Server::kill() {
  if (pid_ > 0) {
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
  }
  if (says_ >= 0) ::close(says_);
  pid_ = says_ = -1;
}

Client::Client(std::uint16_t port) : socket_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  const int on = 1;
  ::setsockopt(socket_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  is_broken_ = ::connect(socket_, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0;
}

Client::~Client() { ::close(socket_); }

bool Client::post_batch(std::string_view body) {
  if (is_broken_) return false;
  const std::string request = fmt::format(
      "POST /v1/batch HTTP/1.1\r\nHost: localhost\r\nAuthorization: Basic d3JpdGU6\r\n"
      "Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{}",
      body.size(), body);
  is_broken_ = ::send(socket_, request.data(), request.size(), MSG_NOSIGNAL) !=
               static_cast<ssize_t>(request.size());
  // The answer is small; a whole head with its body comes at once or the connection ends.
  std::string answer;
  std::array<char, 2048> bytes{};
  while (!is_broken_ && answer.find("\r\n\r\n") == std::string::npos) {
    const ssize_t n = ::recv(socket_, bytes.data(), bytes.size(), 0);
    if (n <= 0) is_broken_ = true;
    if (n > 0) answer.append(bytes.data(), static_cast<std::size_t>(n));
  }
  return answer.starts_with("HTTP/1.1 200");
}

}  // namespace attune::crash
