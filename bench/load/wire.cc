#include "load/wire.h"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <utility>

namespace attune::load {
namespace {

constexpr Nanos kSecond = 1'000'000'000;
constexpr Nanos kAgainAfter = kSecond / 20;
constexpr std::size_t kChunk = 65536;

Error lost(std::string_view doing) {
  return {Code::kUnavailable, fmt::format("the connection to the server was lost while {}: {}",
                                          doing, std::strerror(errno))};
}

Result<int> open_socket(const std::string& host, std::uint16_t port) {
  const int socket = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  if (socket < 0 || ::inet_pton(AF_INET, host.c_str(), &address.sin_addr) != 1 ||
      ::connect(socket, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) {
    if (socket >= 0) ::close(socket);
    return Error{Code::kUnavailable,
                 fmt::format("cannot connect to {}:{}: {}", host, port, std::strerror(errno))};
  }
  const int on = 1;
  ::setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  return socket;
}

struct Head {
  int status = 0;
  std::size_t size = 0;  // with the empty line; 0 when not complete yet
  std::size_t body = 0;
};

Head parse_head(std::string_view text) {
  Head head;
  const auto end = text.find("\r\n\r\n");
  if (end == std::string_view::npos) return head;
  head.size = end + 4;
  std::from_chars(text.data() + 9, text.data() + 12, head.status);
  for (const std::string_view name : {"\r\nContent-Length: ", "\r\ncontent-length: "}) {
    const auto at = text.find(name);
    if (at == std::string_view::npos || at > end) continue;
    std::from_chars(text.data() + at + name.size(), text.data() + end, head.body);
  }
  return head;
}

}  // namespace

Nanos now_ns() {
  timespec time{};
  ::clock_gettime(CLOCK_MONOTONIC, &time);
  return Nanos{time.tv_sec} * kSecond + time.tv_nsec;
}

void append_request(std::string& out, std::string_view method, std::string_view path,
                    std::string_view key, std::string_view body) {
  out += fmt::format(
      "{} {} HTTP/1.1\r\nHost: bench\r\nX-API-Key: {}\r\nContent-Type: application/json\r\n"
      "Content-Length: {}\r\n\r\n",
      method, path, key, body.size());
  out += body;
}

Result<Wire> Wire::connect(const std::string& host, std::uint16_t port, std::size_t connections) {
  Wire wire;
  wire.epoll_ = ::epoll_create1(EPOLL_CLOEXEC);
  for (std::size_t i = 0; i < connections; ++i) {
    TRY(const int socket, open_socket(host, port));
    wire.connections_.emplace_back().socket = socket;
    epoll_event event{.events = EPOLLIN, .data = {.ptr = &wire.connections_.back()}};
    ::epoll_ctl(wire.epoll_, EPOLL_CTL_ADD, socket, &event);
  }
  return wire;
}

Wire::Wire(Wire&& other) noexcept
    : epoll_(std::exchange(other.epoll_, -1)), connections_(std::move(other.connections_)) {
  other.connections_.clear();
}

Wire::~Wire() {
  for (const Connection& connection : connections_) ::close(connection.socket);
  if (epoll_ >= 0) ::close(epoll_);
}

struct Wire::Run {
  const Plan& plan;
  Nanos begin = 0;
  std::uint64_t next = 0;  // request to send
  std::uint64_t outstanding = 0;
  Nanos last_answer = 0;
  std::deque<std::pair<Nanos, std::uint64_t>> again{};  // when, which
  Played played{};

  bool is_closed_loop() const { return plan.per_second <= 0; }
  Nanos due(std::uint64_t request, Nanos now) const {
    if (is_closed_loop()) return now;
    return begin + static_cast<Nanos>(static_cast<double>(request) * 1e9 / plan.per_second);
  }
  bool is_room() const { return !is_closed_loop() || outstanding < plan.most_outstanding; }
  bool is_done() const { return next >= plan.requests && outstanding == 0 && again.empty(); }
};

Wire::Connection& Wire::least_busy() {
  return *std::min_element(
      connections_.begin(), connections_.end(),
      [](const Connection& a, const Connection& b) { return a.open.size() < b.open.size(); });
}

Status Wire::send(Connection& connection) {
  while (connection.written < connection.out.size()) {
    const ssize_t sent =
        ::send(connection.socket, connection.out.data() + connection.written,
               connection.out.size() - connection.written, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (sent < 0 && errno == EAGAIN) break;
    if (sent < 0) return lost("sending");
    connection.written += static_cast<std::size_t>(sent);
  }
  const bool is_waiting = connection.written < connection.out.size();
  if (!is_waiting) connection.out.clear(), connection.written = 0;
  if (is_waiting != connection.is_waiting_to_write) {
    connection.is_waiting_to_write = is_waiting;
    epoll_event event{.events = EPOLLIN | (is_waiting ? EPOLLOUT : 0U),
                      .data = {.ptr = &connection}};
    ::epoll_ctl(epoll_, EPOLL_CTL_MOD, connection.socket, &event);
  }
  return ok_status();
}

void Wire::start(Run& run, std::uint64_t request, Nanos due) {
  Connection& connection = least_busy();
  run.plan.write(request, connection.out);
  connection.open.push_back({.request = request, .due = due, .sent = now_ns()});
  ++run.outstanding;
}

Status Wire::take_answers(Connection& connection, Run& run) {
  while (!connection.open.empty()) {
    const std::string_view text = std::string_view(connection.in).substr(connection.read);
    const Head head = parse_head(text);
    if (head.size == 0 || text.size() < head.size + head.body) break;
    const Open open = connection.open.front();
    connection.open.pop_front();
    connection.read += head.size + head.body;
    --run.outstanding;
    run.last_answer = now_ns();
    const bool is_again = run.plan.answered({.request = open.request,
                                             .status = head.status,
                                             .body = text.substr(head.size, head.body),
                                             .due = open.due,
                                             .sent = open.sent,
                                             .received = run.last_answer});
    if (is_again && run.is_closed_loop()) {
      run.again.emplace_back(run.last_answer + kAgainAfter, open.request);
      ++run.played.again;
    } else {
      ++run.played.answers;
    }
  }
  connection.in.erase(0, connection.read);
  connection.read = 0;
  return ok_status();
}

Status Wire::receive(Connection& connection, Run& run) {
  while (true) {
    const std::size_t had = connection.in.size();
    connection.in.resize(had + kChunk);
    const ssize_t got = ::recv(connection.socket, connection.in.data() + had, kChunk, MSG_DONTWAIT);
    connection.in.resize(had + static_cast<std::size_t>(std::max<ssize_t>(got, 0)));
    if (got == 0 || (got < 0 && errno != EAGAIN)) return lost("receiving");
    if (got < static_cast<ssize_t>(kChunk)) break;
  }
  return take_answers(connection, run);
}

Status Wire::wait(Run& run, Nanos until) {
  const Nanos left = std::max<Nanos>(0, until - now_ns());
  const timespec timeout{.tv_sec = left / kSecond, .tv_nsec = left % kSecond};
  std::array<epoll_event, 64> events{};
  const int ready =
      ::epoll_pwait2(epoll_, events.data(), static_cast<int>(events.size()), &timeout, nullptr);
  for (int i = 0; i < ready; ++i) {
    const epoll_event& event = events[static_cast<std::size_t>(i)];
    Connection& connection = *static_cast<Connection*>(event.data.ptr);
    if (event.events & EPOLLOUT) TRY_OK(send(connection));
    if (event.events & (EPOLLIN | EPOLLHUP | EPOLLERR)) TRY_OK(receive(connection, run));
  }
  return ok_status();
}

Result<Played> Wire::play(const Plan& plan) {
  Run run{.plan = plan, .begin = now_ns()};
  Nanos give_up = 0;  // set when the last request has left
  while (!run.is_done()) {
    Nanos now = now_ns();
    while (!run.again.empty() && run.again.front().first <= now) {
      start(run, run.again.front().second, now);
      run.again.pop_front();
    }
    while (run.next < plan.requests && run.is_room() && run.due(run.next, now) <= now) {
      start(run, run.next, run.due(run.next, now));
      ++run.next;
    }
    for (Connection& connection : connections_) {
      if (!connection.out.empty() && !connection.is_waiting_to_write) TRY_OK(send(connection));
    }
    if (run.next >= plan.requests && give_up == 0) {
      give_up = now + static_cast<Nanos>(plan.give_up_s * 1e9);
    }
    if (give_up != 0 && now > give_up) break;
    Nanos until = now + kSecond / 20;
    if (run.next < plan.requests && run.is_room()) until = run.due(run.next, until);
    TRY_OK(wait(run, std::min(until, now + kSecond / 20)));
  }
  run.played.lost = run.outstanding + run.again.size();
  run.played.seconds = static_cast<double>(run.last_answer - run.begin) * 1e-9;
  return run.played;
}

Result<std::string> Wire::call(std::string_view method, std::string_view path, std::string_view key,
                               std::string_view body) {
  std::string text;
  int status = 0;
  Plan plan{.requests = 1};
  plan.write = [&](std::uint64_t, std::string& out) {
    append_request(out, method, path, key, body);
  };
  plan.answered = [&](const Answer& answer) {
    text = answer.body;
    status = answer.status;
    return false;
  };
  TRY(const Played played, play(plan));
  if (played.lost != 0) return Error{Code::kUnavailable, fmt::format("{}: no answer", path)};
  if (status == 200) return text;
  return Error{Code::kInternal, fmt::format("{} {}: {} {}", method, path, status, text)};
}

}  // namespace attune::load
