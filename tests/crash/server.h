// Server: one `attune serve` as a child process, and blocking requests to it. One thread starts and
// kills it; requests may come from others.
#pragma once
#include <sys/types.h>

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"

namespace attune::crash {

class Server {
 public:
  // Returns when it says where it listens. kUnavailable when it ends before, with what it said.
  static Result<Server> start(const std::string& program, const std::string& workspace);
  Server(Server&& other) noexcept;
  Server& operator=(Server&&) = delete;
  ~Server() { kill(); }

  void kill();  // SIGKILL, and waits
  double ready_s() const { return ready_s_; }
  std::uint16_t port() const { return port_; }

 private:
  Server() = default;
  Status wait_until_ready();
  pid_t pid_ = -1;
  int says_ = -1;
  std::uint16_t port_ = 0;
  double ready_s_ = 0;
};

// A keep-alive connection.
class Client {
 public:
  explicit Client(std::uint16_t port);
  ~Client();
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;
  // Whether the batch was answered with 200; false too when the server is gone.
  bool post_batch(std::string_view body);
  bool is_broken() const { return is_broken_; }

 private:
  int socket_ = -1;
  bool is_broken_ = false;
};

}  // namespace attune::crash
