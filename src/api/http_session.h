// Internal to http_server.cc: one connection as a coroutine. It brings in the Asio and Beast
// headers, so nothing else may include it.
#pragma once
#include <algorithm>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/string_body.hpp>

#include "api/http_shared.h"
#include "api/http_text.h"
#include "api/tls.h"

namespace attune::http_detail {

namespace http = boost::beast::http;

// One connection. Everything here runs on its worker's thread.
class Session {
 public:
  enum class Phase { kIdle, kReading, kHandling, kWriting, kLingering };

  // refusal: the status to answer at once; 0 = admitted, and counted for its address.
  Session(const std::shared_ptr<Worker>& worker, Socket socket, const asio::ip::address& address,
          int refusal)
      : worker_(worker.get()),
        weak_worker_(worker),
        shared_(worker->shared),
        count_(refusal == 0 ? shared_->open : shared_->rejecting),
        address_(address),
        refusal_(refusal),
        socket_(std::move(socket)),
        wake_(socket_.get_executor()) {
    ++count_;
    worker_->sessions.insert(this);
    if (shared_->options.tls) tls_.emplace(shared_->options.tls->accept());
    enter(Phase::kIdle, shared_->options.idle_timeout_s);
  }
  ~Session() {
    worker_->sessions.erase(this);
    if (slot_) slot_->session = nullptr;
    error_code ignored;
    socket_.close(ignored);
    if (refusal_ == 0) shared_->leave_address(address_);
    shared_->leave(count_);
  }
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  Awaitable<void> run() {
    error_code ignored;
    socket_.set_option(tcp::no_delay(true), ignored);
    bool more = true;
    if (tls_) more = co_await shake_hands();
    if (more && refusal_ != 0) {
      more = false;
      request_id_ = shared_->next_id();
      refuse(fault_response(refusal_, request_id_));
      co_await write_answer(ResponseStyle{false, false, false});
    }
    while (more) more = co_await one_request();
    if (tls_ && !aborted_) co_await say_goodbye();
    if (!aborted_ && (fault_ || !in_.empty())) co_await linger();
  }

  void sweep(Clock::time_point now) {
    if (phase_ != Phase::kHandling && now >= deadline_) cancel();
  }
  void drain() {
    if (phase_ == Phase::kIdle) cancel();
  }
  void abort() {
    aborted_ = true;
    wake_.cancel();
    cancel();
  }
  void wake() { wake_.cancel(); }

 private:
  void enter(Phase phase, int seconds) {
    phase_ = phase;
    deadline_ = Clock::now() + std::chrono::seconds(seconds);
  }
  void cancel() {
    error_code ignored;
    socket_.cancel(ignored);
  }
  void refuse(HttpResponse response) {
    fault_ = true;
    response_ = std::move(response);
    if (shared_->options.on_refused) shared_->options.on_refused(response_.status, request_id_);
  }
  bool has_input() {
    error_code ec;
    return !in_.empty() || (socket_.available(ec) > 0 && !ec);
  }

  // True when another request may follow.
  Awaitable<bool> one_request() {
    const auto& options = shared_->options;
    parser_.emplace();
    parser_->header_limit(static_cast<std::uint32_t>(options.max_header_bytes));
    parser_->body_limit(options.max_body_bytes);
    parser_->eager(true);
    int fault = co_await read_request();
    if (fault == kClosed || aborted_) co_return false;
    request_id_ = shared_->next_id();
    HttpRequest request;
    if (fault == 0) fault = build(request);
    ResponseStyle style;
    if (fault != 0) {
      style.keep_alive = false;
      refuse(fault_response(fault, request_id_));
    } else {
      style.head = request.method == "HEAD";
      style.http10 = parser_->get().version() < 11;
      const bool keep = parser_->keep_alive();
      parser_.reset();
      const bool answered = co_await answer(request);
      if (!answered) co_return false;
      style.keep_alive = keep && !shared_->draining;
    }
    const bool written = co_await write_answer(style);
    co_return written&& style.keep_alive;
  }

  // 0 when a whole request is in the parser, else a status to answer with, or kClosed.
  Awaitable<int> read_request() {
    bool continued = false;
    enter(Phase::kIdle, shared_->options.idle_timeout_s);
    for (;;) {
      if (!in_.empty()) {
        if (phase_ == Phase::kIdle) enter(Phase::kReading, shared_->options.header_timeout_s);
        const bool had_header = parser_->is_header_done();
        const int fault = feed();
        if (fault != 0) co_return fault;
        if (parser_->is_done()) co_return 0;
        if (in_.size() > shared_->options.max_header_bytes) co_return 431;
        if (!had_header && parser_->is_header_done()) {
          enter(Phase::kReading, shared_->options.request_timeout_s);
        }
        if (!continued && in_.empty() && expects_continue()) {
          continued = true;
          out_ = "HTTP/1.1 100 Continue\r\n\r\n";
          const bool sent = co_await write_out();
          if (!sent) co_return kClosed;
        }
      }
      if (aborted_ || (phase_ == Phase::kIdle && shared_->draining && !has_input())) {
        co_return kClosed;
      }
      const error_code ec = co_await read_some();
      if (!ec) continue;
      if (ec != asio::error::operation_aborted || aborted_) co_return kClosed;
      if (phase_ == Phase::kReading) co_return 408;
      if (!shared_->draining || !has_input()) co_return kClosed;
    }
  }

  // More text into `in_`.
  Awaitable<error_code> read_some() {
    const std::size_t had = in_.size();
    const bool body = parser_ && parser_->is_header_done();
    for (;;) {
      in_.resize(had + (body ? 32768 : 4096));
      error_code ec;
      const auto got = co_await socket_.async_read_some(
          asio::buffer(in_.data() + had, in_.size() - had), asio::redirect_error(kAwait, ec));
      in_.resize(had + got);
      if (ec || !tls_) co_return ec;
      tls_->feed(std::string_view(in_).substr(had));
      in_.resize(had);
      const auto step = tls_->read(in_);
      const bool sent = co_await send_sealed();
      if (step == TlsChannel::Step::kDone) co_return ec;
      if (!sent || step != TlsChannel::Step::kMore) co_return asio::error::eof;
    }
  }

  // False when nothing more is to come of this connection.
  Awaitable<bool> shake_hands() {
    enter(Phase::kReading, shared_->options.header_timeout_s);
    std::string bytes(4096, '\0');
    for (;;) {
      const auto step = tls_->handshake();
      const bool sent = co_await send_sealed();
      if (step == TlsChannel::Step::kDone) {
        tls_->read(in_);  // a first request may have come along
        co_return sent;
      }
      if (step != TlsChannel::Step::kMore) {
        tls_.reset();
        fault_ = true;
        if (step == TlsChannel::Step::kSpeaksHttp) co_await say_https();
        co_return false;
      }
      error_code ec;
      const auto got =
          co_await socket_.async_read_some(asio::buffer(bytes), asio::redirect_error(kAwait, ec));
      if (ec || !sent || aborted_) co_return false;
      tls_->feed(std::string_view(bytes).substr(0, got));
    }
  }

  // To a client that takes this port for a plain one, in its own words.
  Awaitable<void> say_https() {
    request_id_ = shared_->next_id();
    refuse(http_error(
        400,
        {"https_expected", "This port speaks HTTPS alone.", "", "Begin the address with https://."},
        request_id_));
    co_await write_answer(ResponseStyle{false, false, false});
  }

  Awaitable<void> say_goodbye() {
    enter(Phase::kWriting, static_cast<int>(kLingerFor.count()));
    tls_->close();
    co_await send_sealed();
  }

  // What the channel has for the other side.
  Awaitable<bool> send_sealed() {
    const std::string bytes = tls_->take_output();
    if (bytes.empty()) co_return true;
    error_code ec;
    co_await asio::async_write(socket_, asio::buffer(bytes), asio::redirect_error(kAwait, ec));
    co_return !ec;
  }

  bool expects_continue() const {
    if (!parser_->is_header_done()) return false;
    const auto value = parser_->get()[http::field::expect];
    return same_name({value.data(), value.size()}, "100-continue");
  }

  // Gives the parser what has come. 0, or the status of its fault.
  int feed() {
    std::size_t used = 0;
    if (!parser_->got_some()) {
      while (used < in_.size() && (in_[used] == '\r' || in_[used] == '\n')) ++used;
    }
    error_code ec;
    while (!ec && used < in_.size() && !parser_->is_done()) {
      used += parser_->put(asio::buffer(in_.data() + used, in_.size() - used), ec);
    }
    in_.erase(0, used);
    if (!ec || ec == http::error::need_more) return 0;
    if (ec == http::error::header_limit) return 431;
    if (ec == http::error::body_limit) return 413;
    return 400;
  }

  int build(HttpRequest& request) {
    auto& message = parser_->get();
    const auto text = [](auto view) { return std::string_view(view.data(), view.size()); };
    request.method = text(message.method_string());
    if (!split_target(text(message.target()), request)) return 400;
    for (const auto& field : message) {
      request.headers.emplace_back(text(field.name_string()), text(field.value()));
    }
    request.body = std::move(message.body());
    request.request_id = request_id_;
    const auto encoding = request.header("content-encoding");
    if (encoding.empty() || same_name(encoding, "identity")) return 0;
    if (!same_name(encoding, "gzip") && !same_name(encoding, "x-gzip")) return 415;
    if (request.body.empty()) return 0;
    std::string inflated;
    const auto& options = shared_->options;
    const std::size_t by_ratio =
        request.body.size() * static_cast<std::size_t>(options.max_inflate_ratio);
    const std::size_t limit =
        std::min(options.max_inflated_bytes, std::max(options.max_body_bytes, by_ratio));
    const auto result = inflate_gzip(request.body, limit, inflated);
    if (result != Inflate::kOk) return result == Inflate::kTooLarge ? 413 : 400;
    request.body = std::move(inflated);
    return 0;
  }

  void call_handler(HttpRequest& request) {
    auto promise = std::make_shared<Promise>(slot_, request_id_);
    try {
      shared_->handler(std::move(request), [promise](HttpResponse response) {
        complete(promise->slot, std::move(response));
      });
    } catch (...) {
      promise->fail("The server failed on this request.");
    }
  }

  // Runs the handler and waits for its answer. False when the server stopped first.
  Awaitable<bool> answer(HttpRequest& request) {
    enter(Phase::kHandling, 0);
    slot_ = std::make_shared<Slot>();
    slot_->worker = weak_worker_;
    slot_->session = this;
    call_handler(request);
    for (;;) {
      {
        const std::lock_guard lock(slot_->mutex);
        if (slot_->done) break;
        slot_->waiting = true;
      }
      if (aborted_) co_return false;
      // A wake comes through the loop of this very thread, so none is lost before the wait.
      error_code ignored;
      wake_.expires_at(Clock::time_point::max());
      co_await wake_.async_wait(asio::redirect_error(kAwait, ignored));
    }
    response_ = std::move(slot_->response);
    slot_->session = nullptr;
    slot_.reset();
    co_return true;
  }

  Awaitable<bool> write_answer(ResponseStyle style) {
    const int status_class = response_.status / 100;
    if (status_class >= 1 && status_class <= 5) {
      shared_->by_class[static_cast<std::size_t>(status_class)]++;
    }
    out_.clear();
    write_response(response_, request_id_, style, out_);
    enter(Phase::kWriting, shared_->options.request_timeout_s);
    const bool written = co_await write_out();
    if (out_.capacity() > 65536) std::string().swap(out_);
    co_return written;
  }

  Awaitable<bool> write_out() {
    for (std::string_view left = out_; tls_;) {
      const std::string_view part = left.substr(0, kSealedAtOnce);
      left.remove_prefix(part.size());
      if (!tls_->write(part)) co_return false;
      const bool sent = co_await send_sealed();
      if (!sent || left.empty()) co_return sent;
    }
    error_code ec;
    co_await asio::async_write(socket_, asio::buffer(out_), asio::redirect_error(kAwait, ec));
    co_return !ec;
  }

  // Closing with input unread resets the connection and may lose the answer: read it away first.
  Awaitable<void> linger() {
    phase_ = Phase::kLingering;
    deadline_ = Clock::now() + kLingerFor;
    error_code ec;
    socket_.shutdown(tcp::socket::shutdown_send, ec);
    for (std::size_t total = 0; !ec && !aborted_ && total < kLingerBytes; total += in_.size()) {
      in_.clear();
      ec = co_await read_some();
    }
  }

  Worker* worker_;
  std::weak_ptr<Worker> weak_worker_;
  std::shared_ptr<Shared> shared_;
  std::atomic<int>& count_;
  const asio::ip::address address_;
  const int refusal_;
  bool aborted_ = false;
  bool fault_ = false;
  Socket socket_;
  std::optional<TlsChannel> tls_;  // absent: plain
  Timer wake_;
  Phase phase_ = Phase::kIdle;
  Clock::time_point deadline_;
  std::optional<http::request_parser<http::string_body>> parser_;
  std::string in_;
  std::string out_;
  std::string request_id_;
  HttpResponse response_;
  std::shared_ptr<Slot> slot_;
};

inline void complete(const std::shared_ptr<Slot>& slot, HttpResponse response) {
  {
    const std::lock_guard lock(slot->mutex);
    if (slot->done) return;
    slot->done = true;
    slot->response = std::move(response);
    if (!slot->waiting) return;
  }
  const auto worker = slot->worker.lock();
  if (!worker) return;
  asio::post(worker->io, [slot] {
    if (slot->session != nullptr) slot->session->wake();
  });
}

}  // namespace attune::http_detail
