#include "api/http_server.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>
#include <zlib.h>

#include <chrono>
#include <future>
#include <optional>
#include <thread>

#include "api/http_text.h"

namespace attune {
namespace {

class Client {
 public:
  explicit Client(std::uint16_t port) : fd_(socket(AF_INET, SOCK_STREAM, 0)) {
    timeval limit{10, 0};
    setsockopt(fd_, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    sockaddr_in at{};
    at.sin_family = AF_INET;
    at.sin_port = htons(port);
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    connected_ = connect(fd_, reinterpret_cast<sockaddr*>(&at), sizeof at) == 0;
  }
  ~Client() { close(fd_); }
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;
  bool connected() const { return connected_; }
  void send(std::string_view text) {
    while (!text.empty()) {
      const auto n = ::send(fd_, text.data(), text.size(), MSG_NOSIGNAL);
      if (n <= 0) return;
      text.remove_prefix(static_cast<std::size_t>(n));
    }
  }
  // One response, head and body; what there is when the connection ends early.
  std::string read() {
    for (;;) {
      const auto end = in_.find("\r\n\r\n");
      if (end != std::string::npos) {
        std::size_t size = end + 4;
        const auto length = in_.find("Content-Length: ");
        if (length < end) size += std::stoul(in_.substr(length + 16));
        if (in_.size() >= size) return take(size);
      }
      if (!more()) return take(in_.size());
    }
  }
  std::string ask(std::string_view text) {
    send(text);
    return read();
  }
  bool closed() { return in_.empty() && !more(); }
  bool more() {
    char block[4096];
    const auto n = recv(fd_, block, sizeof block, 0);
    if (n > 0) in_.append(block, static_cast<std::size_t>(n));
    return n > 0;
  }

 private:
  std::string take(std::size_t n) {
    auto out = in_.substr(0, n);
    in_.erase(0, n);
    return out;
  }
  int fd_;
  bool connected_ = false;
  std::string in_;
};

std::string gzip(std::string_view text) {
  z_stream stream{};
  deflateInit2(&stream, 9, Z_DEFLATED, 15 + 16, 9, Z_DEFAULT_STRATEGY);
  std::string out(deflateBound(&stream, text.size()) + 64, '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));
  stream.avail_in = static_cast<uInt>(text.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  deflate(&stream, Z_FINISH);
  out.resize(stream.total_out);
  deflateEnd(&stream);
  return out;
}

std::string post(std::string_view body, std::string_view extra = "") {
  return "POST /e HTTP/1.1\r\nHost: x\r\n" + std::string(extra) +
         "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + std::string(body);
}

void echo(HttpRequest&& request, Respond respond) {
  if (request.path == "/throw") throw std::runtime_error("no");
  if (request.path == "/drop") return;
  HttpResponse response;
  if (request.path == "/empty") response.status = 204;
  response.body = request.method + "|" + request.path + "|" + request.query + "|" + request.body +
                  "|" + std::string(request.header("X-API-Key"));
  respond(std::move(response));
}

std::unique_ptr<HttpServer> serve(HttpOptions options = {}, Handler handler = echo) {
  auto server = HttpServer::start(std::move(options), std::move(handler));
  CHECK(server.ok());
  return std::move(server).value();
}

bool has(const std::string& text, std::string_view part) {
  return text.find(part) != std::string::npos;
}

TEST(Http, KeepsAlive) {
  const auto server = serve();
  Client client(server->port());
  const auto first = client.ask("GET /a%20b?q=%20 HTTP/1.1\r\nHost: x\r\nx-api-key: k\r\n\r\n");
  EXPECT_TRUE(first.starts_with("HTTP/1.1 200 OK\r\n")) << first;
  EXPECT_TRUE(first.ends_with("\r\n\r\nGET|/a b|q=%20||k")) << first;
  EXPECT_TRUE(client.ask(post("hello")).ends_with("POST|/e||hello|"));
  EXPECT_EQ(server->stats().by_class[2], 2u);
  EXPECT_EQ(server->stats().open, 1u);
  EXPECT_TRUE(has(client.ask("GET / HTTP/1.1\r\nConnection: close\r\n\r\n"), "Connection: close"));
  EXPECT_TRUE(client.closed());
}

TEST(Http, AnswersPipelinedInOrder) {
  HttpOptions options;
  options.threads = 2;
  const auto server = serve(options);
  Client client(server->port());
  std::string all;
  for (int i = 0; i < 50; ++i) all += post(std::to_string(i));
  client.send(all);
  for (int i = 0; i < 50; ++i) {
    EXPECT_TRUE(client.read().ends_with("||" + std::to_string(i) + "|"));
  }
}

TEST(Http, ReadsChunksAndSplitInput) {
  const auto server = serve();
  Client client(server->port());
  const std::string text =
      "POST /c HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n1\r\n!\r\n0\r\n\r\n";
  EXPECT_TRUE(client.ask(text).ends_with("|hello!|"));
  for (const char c : text) client.send(std::string_view(&c, 1));
  EXPECT_TRUE(client.read().ends_with("|hello!|"));
}

TEST(Http, HeadAndNoContentHaveNoBody) {
  const auto server = serve();
  Client client(server->port());
  client.send("HEAD / HTTP/1.1\r\nConnection: close\r\n\r\n");
  EXPECT_TRUE(client.read().ends_with("\r\n\r\n"));
  Client other(server->port());
  const auto empty = other.ask("GET /empty HTTP/1.1\r\n\r\n");
  EXPECT_TRUE(empty.starts_with("HTTP/1.1 204 ") && empty.ends_with("\r\n\r\n"));
  EXPECT_TRUE(other.ask("GET /n HTTP/1.1\r\n\r\n").ends_with("GET|/n|||"));
}

TEST(Http, SendsContinue) {
  const auto server = serve();
  Client client(server->port());
  const auto go =
      client.ask("POST /e HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n");
  EXPECT_TRUE(go.starts_with("HTTP/1.1 100 Continue")) << go;
  EXPECT_TRUE(client.ask("ok").ends_with("|ok|"));
}

TEST(Http, InflatesGzipWithinBounds) {
  const auto server = serve();
  Client client(server->port());
  const std::string_view header = "Content-Encoding: gzip\r\n";
  EXPECT_TRUE(client.ask(post(gzip("inflated"), header)).ends_with("|inflated|"));
  const auto bomb = gzip(std::string(20 << 20, 'a'));
  EXPECT_TRUE(client.ask(post(bomb, header)).starts_with("HTTP/1.1 413 "));
  const auto repetitive = gzip(std::string(600 * 1024, 'a'));  // 1000 times its size, over 512 KB
  EXPECT_TRUE(Client(server->port()).ask(post(repetitive, header)).starts_with("HTTP/1.1 413 "));
  const auto small = gzip(std::string(400 * 1024, 'a'));  // as often, but no more than may be sent
  EXPECT_TRUE(Client(server->port()).ask(post(small, header)).starts_with("HTTP/1.1 200 "));
  EXPECT_TRUE(Client(server->port()).ask(post("junk", header)).starts_with("HTTP/1.1 400 "));
  const auto whole = gzip("cut short");
  EXPECT_TRUE(Client(server->port())
                  .ask(post(whole.substr(0, whole.size() - 6), header))
                  .starts_with("HTTP/1.1 400 "));
  EXPECT_TRUE(Client(server->port())
                  .ask(post("junk", "Content-Encoding: br\r\n"))
                  .starts_with("HTTP/1.1 415 "));
}

TEST(Http, RefusesWhatIsTooLarge) {
  const auto server = serve();
  const auto big = Client(server->port()).ask(post(std::string(600 * 1024, 'x')));
  EXPECT_TRUE(big.starts_with("HTTP/1.1 413 ")) << big;
  EXPECT_TRUE(has(big, "\"code\":\"body_too_large\"") && has(big, "\"request_id\":\"req_")) << big;
  std::string chunked = "POST /e HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n";
  for (int i = 0; i < 10; ++i) chunked += "10000\r\n" + std::string(65536, 'x') + "\r\n";
  EXPECT_TRUE(Client(server->port()).ask(chunked).starts_with("HTTP/1.1 413 "));
  std::string flood = "GET / HTTP/1.1\r\n";
  for (int i = 0; i < 2000; ++i) flood += "X-Flood: aaaaaaaaaaaaaaaaaaaaaaaa\r\n";
  EXPECT_TRUE(Client(server->port()).ask(flood).starts_with("HTTP/1.1 431 "));
  EXPECT_TRUE(
      Client(server->port()).ask("GET /" + std::string(40000, 'a')).starts_with("HTTP/1.1 431 "));
}

TEST(Http, RefusesWhatIsMalformed) {
  const auto server = serve();
  for (const std::string_view text :
       {"hello\r\n\r\n", "GET /%zz HTTP/1.1\r\n\r\n", "GET nothing HTTP/1.1\r\n\r\n",
        "GET / HTTP/1.1\r\nContent-Length: x\r\n\r\n", "GET / HTTP/1.1\r\nbad header\r\n\r\n",
        "POST / HTTP/1.1\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"}) {
    Client client(server->port());
    const auto answer = client.ask(text);
    EXPECT_TRUE(answer.starts_with("HTTP/1.1 400 ")) << text << answer;
    EXPECT_TRUE(client.closed());
  }
}

TEST(Http, CutsSlowAndIdleClients) {
  HttpOptions options;
  options.header_timeout_s = 1;
  options.idle_timeout_s = 1;
  const auto server = serve(options);
  Client slow(server->port());
  Client idle(server->port());
  EXPECT_TRUE(slow.ask("GET / HTTP/1.1\r\n").starts_with("HTTP/1.1 408 "));
  EXPECT_TRUE(slow.closed());
  EXPECT_TRUE(idle.closed());
}

TEST(Http, CutsWhoIsSlowWithTheBodyAfterTheHeaders) {
  HttpOptions options;
  options.header_timeout_s = 3600;
  options.request_timeout_s = 1;
  const auto server = serve(options);
  Client slow(server->port());
  EXPECT_TRUE(
      slow.ask("POST /e HTTP/1.1\r\nContent-Length: 9\r\n\r\nhalf").starts_with("HTTP/1.1 408 "));
  EXPECT_TRUE(slow.closed());
}

TEST(Http, FailingHandlersAnswer500) {
  const auto server = serve();
  Client client(server->port());
  EXPECT_TRUE(client.ask("GET /throw HTTP/1.1\r\n\r\n").starts_with("HTTP/1.1 500 "));
  EXPECT_TRUE(client.ask("GET /drop HTTP/1.1\r\n\r\n").starts_with("HTTP/1.1 500 "));
}

TEST(Http, AnswersLaterFromAnotherThread) {
  std::vector<std::jthread> threads;
  const auto server = serve({}, [&threads](HttpRequest&& request, Respond respond) {
    threads.emplace_back([respond, body = request.body] {
      respond({200, body});
      respond({500, "twice"});
    });
  });
  Client client(server->port());
  for (int i = 0; i < 50; ++i) {
    EXPECT_TRUE(client.ask(post(std::to_string(i))).ends_with("\r\n\r\n" + std::to_string(i)));
  }
  server->drain(5);
}

TEST(Http, DrainFinishesWhatIsInFlight) {
  std::promise<Respond> arrived;
  const auto server = serve(
      {}, [&arrived](HttpRequest&&, Respond respond) { arrived.set_value(std::move(respond)); });
  Client client(server->port());
  Client idle(server->port());
  client.send(post("x"));
  auto respond = arrived.get_future().get();
  std::jthread drainer([&server] { server->drain(10); });
  EXPECT_TRUE(idle.closed());  // so the drain has begun
  respond({200, "done"});
  const auto answer = client.read();
  EXPECT_TRUE(answer.ends_with("done") && has(answer, "Connection: close")) << answer;
  EXPECT_TRUE(client.closed());
  drainer.join();
  EXPECT_FALSE(Client(server->port()).connected());
}

TEST(Http, StopsWithoutAnAnswer) {
  std::promise<Respond> arrived;
  std::optional<Respond> late;
  {
    const auto server = serve(
        {}, [&arrived](HttpRequest&&, Respond respond) { arrived.set_value(std::move(respond)); });
    Client client(server->port());
    client.send(post("x"));
    late = arrived.get_future().get();
    server->drain(0);
    EXPECT_TRUE(client.closed());
  }
  (*late)({200, "nobody is there"});
}

TEST(Http, LimitsConnections) {
  HttpOptions options;
  options.max_connections = 1;
  const auto server = serve(options);
  Client first(server->port());
  EXPECT_TRUE(first.ask(post("x")).starts_with("HTTP/1.1 200 "));
  Client second(server->port());
  const auto refused = second.ask(post("x"));
  EXPECT_TRUE(refused.starts_with("HTTP/1.1 503 ") && has(refused, "Retry-After: 1")) << refused;
  EXPECT_TRUE(second.closed());
  EXPECT_TRUE(first.ask(post("x")).starts_with("HTTP/1.1 200 "));
}

TEST(Http, LimitsConnectionsOfOneAddress) {
  HttpOptions options;
  options.max_connections_per_address = 1;
  const auto server = serve(options);
  auto first = std::make_unique<Client>(server->port());
  EXPECT_TRUE(first->ask(post("x")).starts_with("HTTP/1.1 200 "));
  const auto refused = Client(server->port()).ask(post("x"));
  EXPECT_TRUE(refused.starts_with("HTTP/1.1 429 ") && has(refused, "Retry-After: 1")) << refused;
  first.reset();
  std::string answer;  // the server learns a little later that it closed
  for (int i = 0; i < 1000 && !answer.starts_with("HTTP/1.1 200 "); ++i) {
    answer = Client(server->port()).ask(post("x"));
  }
  EXPECT_TRUE(answer.starts_with("HTTP/1.1 200 ")) << answer;
}

TEST(Http, TellsOfWhatNeverReachedTheHandler) {
  std::promise<std::pair<int, std::string>> told;
  HttpOptions options;
  options.on_refused = [&](int status, std::string_view id) {
    told.set_value({status, std::string(id)});
  };
  const auto server = serve(options);
  const auto answer = Client(server->port()).ask(post("junk", "Content-Encoding: br\r\n"));
  const auto [status, id] = told.get_future().get();
  EXPECT_EQ(status, 415);
  EXPECT_TRUE(has(answer, "X-Request-Id: " + id) && has(answer, id + "\"}}")) << answer;
}

TEST(Http, SaysWhyItCannotListen) {
  const auto server = serve();
  HttpOptions options;
  options.port = server->port();
  options.threads = 2;
  EXPECT_FALSE(HttpServer::start(options, echo).ok());
  options.host = "nowhere";
  EXPECT_FALSE(HttpServer::start(options, echo).ok());
}

}  // namespace
}  // namespace attune
