#include "api/tls.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <openssl/ssl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <future>

#include "api/http_server.h"
#include "api/http_settings.h"
#include "api/test_certificate.h"

namespace attune {
namespace {

Time now() { return std::chrono::time_point_cast<Duration>(std::chrono::system_clock::now()); }

class TlsTest : public testing::Test {
 protected:
  TlsTest() {
    CHECK(::mkdtemp(folder_.data()) != nullptr);
    write_certificate(files_.certificate = folder_ + "/cert.pem",
                      files_.key = folder_ + "/key.pem");
  }
  ~TlsTest() override {
    server_.reset();
    std::filesystem::remove_all(folder_);
  }
  void start(HttpOptions options = {}) {
    context_ = TlsContext::load(files_, now()).value();
    options.tls = context_;
    auto started = HttpServer::start(options, [](HttpRequest&& request, Respond respond) {
      respond({.body = request.path + " " + std::to_string(request.body.size())});
    });
    ASSERT_TRUE(started.ok()) << started.error().message;
    server_ = std::move(started).value();
  }
  Error refused() { return TlsContext::load(files_, now()).error(); }

  std::string folder_ = std::filesystem::temp_directory_path() / "attune-test-XXXXXX";
  TlsFiles files_;
  std::shared_ptr<TlsContext> context_;
  std::unique_ptr<HttpServer> server_;
};

int connected(std::uint16_t port) {
  const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const timeval limit{10, 0};
  ::setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
  sockaddr_in at{};
  at.sin_family = AF_INET;
  at.sin_port = htons(port);
  at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  CHECK(::connect(fd, reinterpret_cast<sockaddr*>(&at), sizeof at) == 0);
  return fd;
}

std::string read_all(int fd) {
  std::string out;
  char block[4096];
  for (ssize_t n = 0; (n = ::recv(fd, block, sizeof block, 0)) > 0;) {
    out.append(block, static_cast<std::size_t>(n));
  }
  return out;
}

struct ClientOptions {
  int version = 0;  // the one TLS version to speak; 0 = any
  std::string alpn = {};
};

// OpenSSL's own client on a socket: none of our code.
class Client {
 public:
  explicit Client(std::uint16_t port, const ClientOptions& options = {})
      : context_(SSL_CTX_new(TLS_client_method())), ssl_(nullptr), fd_(connected(port)) {
    SSL_CTX_set_security_level(context_, 0);
    if (options.version != 0) {
      SSL_CTX_set_min_proto_version(context_, options.version);
      SSL_CTX_set_max_proto_version(context_, options.version);
    }
    SSL_CTX_set_alpn_protos(context_, reinterpret_cast<const unsigned char*>(options.alpn.data()),
                            static_cast<unsigned>(options.alpn.size()));
    ssl_ = SSL_new(context_);
    SSL_set_fd(ssl_, fd_);
    is_connected_ = SSL_connect(ssl_) == 1;
  }
  ~Client() {
    SSL_free(ssl_);
    SSL_CTX_free(context_);
    ::close(fd_);
  }
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;
  bool is_connected() const { return is_connected_; }
  SSL* ssl() const { return ssl_; }
  void send(std::string_view text) { SSL_write(ssl_, text.data(), static_cast<int>(text.size())); }
  // One answer whose body ends with `end`; what there is when the connection ends before.
  std::string read(std::string_view end) {
    std::string out;
    char block[4096];
    for (int n = 0; !out.ends_with(end) && (n = SSL_read(ssl_, block, sizeof block)) > 0;) {
      out.append(block, static_cast<std::size_t>(n));
    }
    return out;
  }
  bool is_closed_properly() {
    char byte = 0;
    return SSL_read(ssl_, &byte, 1) <= 0 && SSL_get_shutdown(ssl_) == SSL_RECEIVED_SHUTDOWN;
  }
  std::string ask(const std::string& path) {
    send("GET " + path + " HTTP/1.1\r\nHost: x\r\n\r\n");
    return read(" 0");
  }

 private:
  SSL_CTX* context_;
  SSL* ssl_;
  int fd_;
  bool is_connected_ = false;
};

constexpr char kHttp1[] = "\x08http/1.1";

TEST_F(TlsTest, AnswersRequestsOnOneConnection) {
  start();
  for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
    Client client(server_->port(), {.version = version, .alpn = kHttp1});
    ASSERT_TRUE(client.is_connected());
    const unsigned char* protocol = nullptr;
    unsigned size = 0;
    SSL_get0_alpn_selected(client.ssl(), &protocol, &size);
    EXPECT_EQ(std::string(reinterpret_cast<const char*>(protocol), size), "http/1.1");
    EXPECT_TRUE(client.ask("/one").ends_with("/one 0"));
    EXPECT_TRUE(client.ask("/two").ends_with("/two 0"));
    const std::string body(400'000, 'b');
    client.send("POST /big HTTP/1.1\r\nHost: x\r\nContent-Length: 400000\r\n\r\n" + body);
    EXPECT_TRUE(client.read("/big 400000").ends_with("/big 400000"));
  }
  EXPECT_EQ(server_->stats().by_class[2], 6u);
}

TEST_F(TlsTest, ALargeAnswerArrivesWhole) {
  context_ = TlsContext::load(files_, now()).value();
  HttpOptions options;
  options.tls = context_;
  const std::string large(3 << 20, 'a');
  server_ = HttpServer::start(options, [&](HttpRequest&&, Respond respond) {
              respond({.body = large + "end"});
            }).value();
  Client client(server_->port());
  client.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
  EXPECT_GT(client.read("end").size(), large.size());
}

TEST_F(TlsTest, OldVersionsAreRefused) {
  start();
  for (const int version : {TLS1_VERSION, TLS1_1_VERSION}) {
    EXPECT_FALSE(Client(server_->port(), {.version = version}).is_connected());
  }
  EXPECT_TRUE(Client(server_->port()).is_connected());
}

TEST_F(TlsTest, WhoCannotSpeakHttp1IsRefused) {
  start();
  EXPECT_FALSE(Client(server_->port(), {.alpn = "\x02h2"}).is_connected());
  EXPECT_TRUE(Client(server_->port(), {.alpn = std::string("\x02h2") + kHttp1}).is_connected());
}

TEST_F(TlsTest, PlainHttpIsToldToSpeakTls) {
  start();
  const int fd = connected(server_->port());
  const std::string_view request = "GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n";
  ASSERT_GT(::send(fd, request.data(), request.size(), MSG_NOSIGNAL), 0);
  const std::string answer = read_all(fd);
  ::close(fd);
  EXPECT_TRUE(answer.starts_with("HTTP/1.1 400 ")) << answer;
  EXPECT_NE(answer.find("https_expected"), std::string::npos) << answer;
}

TEST_F(TlsTest, GarbageEndsTheConnection) {
  start();
  const int fd = connected(server_->port());
  const std::string garbage(3000, '\x16');
  ASSERT_GT(::send(fd, garbage.data(), garbage.size(), MSG_NOSIGNAL), 0);
  (void)read_all(fd);  // returns: an alert perhaps, then the end
  ::close(fd);
  EXPECT_TRUE(Client(server_->port()).ask("/still").ends_with("/still 0"));
}

TEST_F(TlsTest, ASlowHandshakeIsCut) {
  HttpOptions options;
  options.header_timeout_s = 1;
  start(options);
  const int fd = connected(server_->port());
  const auto begin = std::chrono::steady_clock::now();
  const std::string_view part = "\x16\x03\x01\x02";
  ASSERT_GT(::send(fd, part.data(), part.size(), MSG_NOSIGNAL), 0);
  EXPECT_EQ(read_all(fd), "");
  EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(5));
  ::close(fd);
}

TEST_F(TlsTest, DrainingFinishesTheRequestAndSaysGoodbye) {
  context_ = TlsContext::load(files_, now()).value();
  HttpOptions options;
  options.tls = context_;
  std::promise<Respond> held;
  server_ = HttpServer::start(options, [&](HttpRequest&&, Respond respond) {
              held.set_value(std::move(respond));
            }).value();
  Client idle(server_->port());
  Client busy(server_->port());
  busy.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
  Respond respond = held.get_future().get();
  auto drained = std::async(std::launch::async, [&] { server_->drain(10); });
  EXPECT_TRUE(idle.is_closed_properly());
  respond({.body = "late but whole"});
  EXPECT_TRUE(busy.read("whole").ends_with("late but whole"));
  EXPECT_TRUE(busy.is_closed_properly());
  drained.get();
}

TEST_F(TlsTest, ANewCertificateHoldsForNewConnections) {
  start();
  Client before(server_->port());
  EXPECT_FALSE(context_->has_changed());
  write_certificate(files_.certificate, files_.key, {.ends_s = 5 * 86400});
  EXPECT_TRUE(context_->has_changed());
  ASSERT_TRUE(context_->reload(now()).ok());
  EXPECT_FALSE(context_->has_changed());
  Client after(server_->port());
  EXPECT_TRUE(before.ask("/old").ends_with("/old 0"));
  EXPECT_TRUE(after.ask("/new").ends_with("/new 0"));
  X509* const old_one = SSL_get1_peer_certificate(before.ssl());
  X509* const new_one = SSL_get1_peer_certificate(after.ssl());
  EXPECT_NE(X509_cmp(old_one, new_one), 0);
  X509_free(old_one);
  X509_free(new_one);
}

TEST_F(TlsTest, ABadCertificateLeavesTheOneInForce) {
  start();
  std::ofstream(files_.certificate) << "no certificate";
  EXPECT_TRUE(context_->has_changed());
  EXPECT_FALSE(context_->reload(now()).ok());
  EXPECT_FALSE(context_->has_changed());  // said once, not with every look
  EXPECT_TRUE(Client(server_->port()).ask("/x").ends_with("/x 0"));
}

TEST_F(TlsTest, FactsSayForWhomAndHowLong) {
  start();
  const CertificateFacts facts = context_->facts();
  EXPECT_EQ(facts.names, (std::vector<std::string>{"localhost", "*.shop.example", "127.0.0.1"}));
  EXPECT_TRUE(facts.is_self_signed);
  EXPECT_LT(facts.ends - now(), std::chrono::hours(25));
}

TEST_F(TlsTest, FilesThatCannotServeAreRefusedInWords) {
  const TlsFiles good = files_;
  files_.key = folder_ + "/absent.pem";
  EXPECT_EQ(refused().message,
            "server.tls_key: " + files_.key + " cannot be read: No such file or directory");
  files_.key = folder_ + "/other.pem";
  write_certificate(folder_ + "/other-cert.pem", files_.key);
  EXPECT_EQ(refused().message,
            "server.tls_key: " + files_.key + " is not the key of " + good.certificate);
  files_ = {good.key, good.key};
  EXPECT_TRUE(
      refused().message.starts_with("server.tls_cert: " + good.key + " holds no certificate"))
      << refused().message;
  files_ = {good.certificate, good.certificate};
  EXPECT_TRUE(
      refused().message.starts_with("server.tls_key: " + good.certificate + " holds no usable"))
      << refused().message;
  files_ = good;
  write_certificate(files_.certificate, files_.key, {.password = "secret"});
  EXPECT_TRUE(refused().message.starts_with("server.tls_key: " + good.key + " holds no usable key"))
      << refused().message;
}

TEST_F(TlsTest, ACertificateOfAnotherTimeIsRefused) {
  write_certificate(files_.certificate, files_.key, {.begins_s = -7200, .ends_s = -3600});
  EXPECT_NE(refused().message.find(" expired at "), std::string::npos) << refused().message;
  write_certificate(files_.certificate, files_.key, {.begins_s = 3600});
  EXPECT_NE(refused().message.find(" does not hold before "), std::string::npos);
}

TEST_F(TlsTest, BothFilesMustBeNamed) {
  HttpSettings settings;
  EXPECT_EQ(load_tls(settings, now()).value(), nullptr);
  settings.tls.certificate = files_.certificate;
  EXPECT_EQ(load_tls(settings, now()).error().message,
            "server.tls_key is not set, the other of the two is");
  settings.tls.key = files_.key;
  EXPECT_NE(load_tls(settings, now()).value(), nullptr);
}

// Both ends are ours, without a socket: what one puts out, the other is fed.
bool shake_hands(TlsChannel& client, TlsChannel& server) {
  auto step = TlsChannel::Step::kMore;
  for (int round = 0; round < 10 && step == TlsChannel::Step::kMore; ++round) {
    step = client.handshake();
    server.feed(client.take_output());
    (void)server.handshake();
    client.feed(server.take_output());
  }
  return step == TlsChannel::Step::kDone;
}

TEST_F(TlsTest, OurClientChecksWhomItSpeaksTo) {
  const auto context = TlsContext::load(files_, now()).value();
  const auto speaks_to = [&](const char* host) {
    TlsChannel client = TlsChannel::client(host).value();
    TlsChannel server = context->accept();
    return shake_hands(client, server) ? "" : client.why();
  };
  EXPECT_NE(speaks_to("localhost"), "");  // nobody trusts it yet
  ::setenv("SSL_CERT_FILE", files_.certificate.c_str(), 1);
  EXPECT_EQ(speaks_to("localhost"), "");
  EXPECT_EQ(speaks_to("127.0.0.1"), "");
  EXPECT_EQ(speaks_to("a.shop.example"), "");
  EXPECT_NE(speaks_to("shop.example"), "");
  EXPECT_NE(speaks_to("127.0.0.2"), "");
  ::unsetenv("SSL_CERT_FILE");
}

}  // namespace
}  // namespace attune
