// Wire: pipelined keep-alive connections to one server, driven by one thread through epoll.
// play() sends each request when it is due, whatever the answers do (open loop), and gives each
// answer with its time, so that a late answer is measured from when its request was due.
#pragma once
#include <cstdint>
#include <deque>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace attune::load {

using Nanos = std::int64_t;  // of the monotonic clock
Nanos now_ns();

struct Answer {
  std::uint64_t request = 0;
  int status = 0;
  std::string_view body;  // valid during the call
  Nanos due = 0;          // when it was to be sent
  Nanos sent = 0;         // when it was given to the socket
  Nanos received = 0;
};

struct Plan {
  std::uint64_t requests = 0;
  double per_second = 0;                // 0: closed loop, as fast as most_outstanding allows
  std::size_t most_outstanding = 1024;  // closed loop only
  double give_up_s = 30;                // after the last is due; what is open then is lost
  std::function<void(std::uint64_t request, std::string& out)> write = {};  // appends its bytes
  // True: closed loop only, send it again shortly (the server was busy).
  std::function<bool(const Answer&)> answered = {};
};

struct Played {
  double seconds = 0;  // first due to last answer
  std::uint64_t answers = 0;
  std::uint64_t lost = 0;   // never answered
  std::uint64_t again = 0;  // sent again
};

class Wire {
 public:
  static Result<Wire> connect(const std::string& host, std::uint16_t port, std::size_t connections);
  Wire(Wire&&) noexcept;
  Wire& operator=(Wire&&) = delete;
  ~Wire();

  Result<Played> play(const Plan& plan);
  // One request, one answer of status 200; anything else is an error that holds the answer.
  Result<std::string> call(std::string_view method, std::string_view path, std::string_view key,
                           std::string_view body);

 private:
  struct Open {  // a request under way
    std::uint64_t request = 0;
    Nanos due = 0, sent = 0;
  };
  struct Connection {
    int socket = -1;
    bool is_waiting_to_write = false;
    std::string out, in;
    std::size_t written = 0, read = 0;  // of out and in
    std::deque<Open> open;
  };
  struct Run;  // a play under way

  Wire() = default;
  Connection& least_busy();
  Status send(Connection& connection);
  Status receive(Connection& connection, Run& run);
  Status take_answers(Connection& connection, Run& run);
  Status wait(Run& run, Nanos until);
  void start(Run& run, std::uint64_t request, Nanos due);

  int epoll_ = -1;
  std::deque<Connection> connections_;
};

// The bytes of one request. `key` goes as X-API-Key.
void append_request(std::string& out, std::string_view method, std::string_view path,
                    std::string_view key, std::string_view body);

}  // namespace attune::load
