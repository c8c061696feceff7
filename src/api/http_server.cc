#include "api/http_server.h"

#include <random>

#include "api/http_session.h"
#include "base/cpu_time.h"

namespace attune {
namespace {

using namespace http_detail;

Awaitable<void> run_session(std::unique_ptr<Session> session) { co_await session->run(); }

// Workers outlive their coroutines, which end with their loop: a plain pointer is enough there.
Awaitable<void> accept_loop(Worker* worker, std::weak_ptr<Worker> weak) {
  auto& shared = *worker->shared;
  while (!shared.draining) {
    error_code ec;
    Socket socket(worker->io.get_executor());
    co_await worker->acceptor.async_accept(socket, asio::redirect_error(kAwait, ec));
    if (ec == asio::error::operation_aborted || ec == asio::error::bad_descriptor) co_return;
    if (ec) {  // out of descriptors, most likely: let some close
      worker->pause.expires_after(std::chrono::milliseconds(20));
      co_await worker->pause.async_wait(asio::redirect_error(kAwait, ec));
      continue;
    }
    const auto self = weak.lock();
    if (!self) co_return;
    const auto address = socket.remote_endpoint(ec).address();
    if (ec) continue;  // gone already
    int refusal = shared.open < shared.options.max_connections ? 0 : 503;
    if (refusal == 0 && !shared.enter_address(address)) refusal = 429;
    if (refusal != 0 && shared.rejecting >= kMaxRejecting) continue;
    auto session = std::make_unique<Session>(self, std::move(socket), address, refusal);
    asio::co_spawn(worker->io.get_executor(), run_session(std::move(session)), asio::detached);
  }
}

// The one deadline timer of a thread.
Awaitable<void> sweep_loop(Worker* worker) {
  Timer timer(worker->io.get_executor());
  for (;;) {
    error_code ignored;
    timer.expires_after(kSweepEvery);
    co_await timer.async_wait(asio::redirect_error(kAwait, ignored));
    const auto now = Clock::now();
    for (Session* session : worker->sessions) session->sweep(now);
  }
}

Status listen(Acceptor& acceptor, const tcp::endpoint& at, bool share_port, bool for_real) {
  error_code ec;
  acceptor.open(at.protocol(), ec);
  if (!ec) acceptor.set_option(asio::socket_base::reuse_address(true), ec);
  if (!ec && share_port) acceptor.set_option(ReusePort(true), ec);
  if (!ec) acceptor.bind(at, ec);
  if (!ec && for_real) acceptor.listen(4096, ec);
  if (!ec) return ok_status();
  return Error{
      Code::kUnavailable,
      fmt::format("cannot listen on {}:{}: {}", at.address().to_string(), at.port(), ec.message()),
      "port", "Choose another port, or stop the program that holds this one."};
}

}  // namespace

struct HttpServer::Impl {
  std::shared_ptr<Shared> shared = std::make_shared<Shared>();
  std::vector<std::shared_ptr<Worker>> workers;
  std::uint16_t port = 0;
  std::once_flag drained;

  Status open_listeners(tcp::endpoint at) {
    const bool share_port = shared->options.threads > 1;
    if (share_port && at.port() != 0) {  // another server of ours must not share it unnoticed
      asio::io_context io;
      Acceptor probe(io.get_executor());
      TRY_OK(listen(probe, at, false, false));
    }
    for (int i = 0; i < shared->options.threads; ++i) {
      auto worker = std::make_shared<Worker>(shared);
      TRY_OK(listen(worker->acceptor, at, share_port, true));
      at.port(worker->acceptor.local_endpoint().port());
      workers.push_back(std::move(worker));
    }
    port = at.port();
    return ok_status();
  }

  void run() {
    for (auto& worker : workers) {
      Worker* w = worker.get();
      asio::co_spawn(w->io.get_executor(), accept_loop(w, worker), asio::detached);
      asio::co_spawn(w->io.get_executor(), sweep_loop(w), asio::detached);
      w->thread = std::thread([w] {
        name_thread("http");
        w->io.run();
      });
    }
  }

  void stop(int seconds) {
    const auto until = Clock::now() + std::chrono::seconds(seconds);
    shared->draining = true;
    for (auto& worker : workers) {
      asio::post(worker->io, [w = worker.get()] {
        error_code ignored;
        w->acceptor.close(ignored);
        for (Session* session : w->sessions) session->drain();
      });
    }
    if (!shared->wait_closed(until)) {
      for (auto& worker : workers) {
        asio::post(worker->io, [w = worker.get()] {
          for (Session* session : w->sessions) session->abort();
        });
      }
      shared->wait_closed(Clock::now() + std::chrono::seconds(1));
    }
    for (auto& worker : workers) {
      worker->io.stop();
      if (worker->thread.joinable()) worker->thread.join();
    }
  }
};

HttpServer::HttpServer(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}

HttpServer::~HttpServer() { drain(0); }

Result<std::unique_ptr<HttpServer>> HttpServer::start(HttpOptions options, Handler handler) {
  if (options.host == "localhost") options.host = "127.0.0.1";
  error_code ec;
  const auto address = asio::ip::make_address(options.host, ec);
  if (ec) {
    return Error{Code::kInvalid, fmt::format("\"{}\" is not an IP address", options.host), "host",
                 "Use 127.0.0.1 for this machine only, or 0.0.0.0 for every interface."};
  }
  options.threads = std::max(1, options.threads);
  auto impl = std::make_unique<Impl>();
  const tcp::endpoint at(address, options.port);
  impl->shared->options = std::move(options);
  impl->shared->handler = std::move(handler);
  std::random_device random;
  impl->shared->id_seed = (static_cast<std::uint64_t>(random()) << 32) | random();
  TRY_OK(impl->open_listeners(at));
  impl->run();
  return std::unique_ptr<HttpServer>(new HttpServer(std::move(impl)));
}

std::uint16_t HttpServer::port() const { return impl_->port; }

void HttpServer::drain(int seconds) {
  std::call_once(impl_->drained, [&] { impl_->stop(seconds); });
}

HttpStats HttpServer::stats() const {
  HttpStats stats;
  for (std::size_t i = 0; i < stats.by_class.size(); ++i) {
    stats.by_class[i] = impl_->shared->by_class[i];
  }
  stats.open = static_cast<std::uint64_t>(impl_->shared->open.load());
  return stats;
}

}  // namespace attune
