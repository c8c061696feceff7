// Internal to http_server.cc: what the threads and connections of a server share. It brings in the
// Asio headers, so nothing else may include it.
#pragma once
#ifdef __SANITIZE_THREAD__
#define BOOST_ASIO_DISABLE_FENCED_BLOCK  // ThreadSanitizer knows no fences; locks order it all
#endif
#include <fmt/format.h>
#include <sys/socket.h>

#include <atomic>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <chrono>
#include <condition_variable>
#include <map>
#include <mutex>
#include <optional>
#include <thread>
#include <unordered_set>
#include <utility>

#include "api/http_server.h"
#include "base/hash.h"

namespace attune::http_detail {

namespace asio = boost::asio;
using tcp = asio::ip::tcp;
using Clock = std::chrono::steady_clock;
using boost::system::error_code;
using Executor = asio::io_context::executor_type;
using Socket = asio::basic_stream_socket<tcp, Executor>;
using Acceptor = asio::basic_socket_acceptor<tcp, Executor>;
using Timer = asio::basic_waitable_timer<Clock, asio::wait_traits<Clock>, Executor>;
template <class T>
using Awaitable = asio::awaitable<T, Executor>;
using ReusePort = asio::detail::socket_option::boolean<SOL_SOCKET, SO_REUSEPORT>;
constexpr asio::use_awaitable_t<Executor> kAwait;
constexpr auto kSweepEvery = std::chrono::milliseconds(250);
constexpr auto kLingerFor = std::chrono::seconds(1);
constexpr std::size_t kLingerBytes = 8 << 20;
constexpr int kMaxRejecting = 256;  // connections over the limit that are told so, at one time
constexpr std::size_t kSealedAtOnce = 64 << 10;
constexpr int kClosed = -1;  // instead of a status: nothing to answer

// What all threads of a server share.
struct Shared {
  HttpOptions options;
  Handler handler;
  std::uint64_t id_seed = 0;
  std::atomic<std::uint64_t> ids{0};
  std::array<std::atomic<std::uint64_t>, 6> by_class{};
  std::atomic<int> open{0};
  std::atomic<int> rejecting{0};
  std::atomic<bool> draining{false};
  std::mutex mutex;
  std::condition_variable closed;
  std::map<asio::ip::address, int> by_address;  // connections open; guarded by `mutex`

  // False when that address has as many as it may.
  bool enter_address(const asio::ip::address& address) {
    const std::lock_guard lock(mutex);
    int& count = by_address[address];
    if (count >= options.max_connections_per_address) return false;
    ++count;
    return true;
  }
  void leave_address(const asio::ip::address& address) {
    const std::lock_guard lock(mutex);
    const auto found = by_address.find(address);
    if (--found->second == 0) by_address.erase(found);
  }
  std::string next_id() { return fmt::format("req_{:016x}", mix64(id_seed, ++ids)); }
  void leave(std::atomic<int>& count) {
    const std::lock_guard lock(mutex);
    if (--count == 0) closed.notify_all();
  }
  bool wait_closed(Clock::time_point until) {
    std::unique_lock lock(mutex);
    return closed.wait_until(lock, until, [this] { return open + rejecting == 0; });
  }
};

class Session;

// One thread: a loop, its listener, its sessions. Sessions touch it on that thread only.
struct Worker {
  explicit Worker(std::shared_ptr<Shared> s) : shared(std::move(s)) {}
  std::shared_ptr<Shared> shared;
  std::unordered_set<Session*> sessions;  // before `io`: ending the loop ends sessions
  asio::io_context io{1};
  Acceptor acceptor{io.get_executor()};
  Timer pause{io.get_executor()};
  std::thread thread;
};

// Where a handler's answer waits for its session.
struct Slot {
  std::mutex mutex;
  bool done = false;
  bool waiting = false;
  HttpResponse response;
  std::weak_ptr<Worker> worker;
  Session* session = nullptr;  // loop thread only; null once the session is gone
};

inline void complete(const std::shared_ptr<Slot>& slot, HttpResponse response);

// Shared by every copy of one Respond.
struct Promise {
  std::shared_ptr<Slot> slot;
  std::string request_id;
  Promise(std::shared_ptr<Slot> s, std::string id)
      : slot(std::move(s)), request_id(std::move(id)) {}
  Promise(const Promise&) = delete;
  Promise& operator=(const Promise&) = delete;
  ~Promise() { fail("The request was dropped without an answer."); }
  void fail(std::string_view why) const {
    complete(slot,
             http_error(500, {"internal", why, "", "Retry; if it stays, report the request_id."},
                        request_id));
  }
};

inline HttpResponse fault_response(int status, std::string_view id) {
  switch (status) {
    case 408:
      return http_error(status,
                        {"request_timeout", "The request took too long to arrive.", "",
                         "Send the whole request at once, or a smaller batch."},
                        id);
    case 413:
      return http_error(status,
                        {"body_too_large", "The request body is over the size limit.", "",
                         "Send smaller batches."},
                        id);
    case 415:
      return http_error(status,
                        {"unsupported_encoding", "This Content-Encoding is not supported.", "",
                         "Send gzip, or no Content-Encoding."},
                        id);
    case 429: {
      auto response =
          http_error(status,
                     {"too_many_connections", "Too many open connections from this address.", "",
                      "Keep connections alive and reuse them."},
                     id);
      response.headers.emplace_back("Retry-After", "1");
      return response;
    }
    case 431:
      return http_error(status,
                        {"headers_too_large", "The request headers are over the size limit.", "",
                         "Send fewer or shorter headers."},
                        id);
    case 503: {
      auto response = http_error(status,
                                 {"too_many_connections", "Too many open connections.", "",
                                  "Retry after a second; keep connections alive and reuse them."},
                                 id);
      response.headers.emplace_back("Retry-After", "1");
      return response;
    }
    default:
      return http_error(status,
                        {"malformed_request", "The request is not well-formed HTTP.", "",
                         "Check the request line, headers and body encoding."},
                        id);
  }
}

}  // namespace attune::http_detail
