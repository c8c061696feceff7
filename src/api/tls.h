// TLS without a socket: TlsContext holds the certificate, TlsChannel turns bytes of one connection
// into text and back. Who owns the socket moves the bytes, so deadlines and limits stay where they
// are. TLS 1.2 and 1.3, ALPN http/1.1. Context: safe to share; channel: one thread at a time.
#pragma once
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/time.h"

struct ssl_st;
struct ssl_ctx_st;

namespace attune {

struct TlsFiles {
  std::string certificate;  // PEM: the server's first, then those that lead to the root
  std::string key;          // PEM, not encrypted
};

struct CertificateFacts {
  std::vector<std::string> names;  // hosts and addresses it stands for
  Time begins{}, ends{};
  bool is_self_signed = false;
};

class TlsChannel {
 public:
  enum class Step {
    kDone,
    kMore,        // feed() more of what the other side sends
    kClosed,      // the other side is done
    kFailed,      // an alert may wait in take_output()
    kSpeaksHttp,  // the first bytes are a plain HTTP request
  };
  // For a client: checks that the server is `host`, a name or an address, by the certificates the
  // system trusts (OpenSSL: SSL_CERT_FILE, SSL_CERT_DIR).
  static Result<TlsChannel> client(const std::string& host);
  TlsChannel(TlsChannel&& other) noexcept;
  ~TlsChannel();

  void feed(std::string_view bytes);  // what came
  std::string take_output();          // what must be sent
  Step handshake();
  // Appends all text there is so far. kDone: and more may come.
  Step read(std::string& text);
  // False once the connection has failed.
  bool write(std::string_view text);
  void close();  // tells the other side that this one is done
  // Why a handshake failed, in words.
  std::string why() const { return why_; }

 private:
  friend class TlsContext;
  explicit TlsChannel(ssl_st* ssl) : ssl_(ssl) {}
  Step step_of(int result);
  ssl_st* ssl_;
  std::string why_;
};

class TlsContext {
 public:
  // kInvalid when a file cannot be read, is no certificate or key, they do not belong together, or
  // the certificate does not hold at `now`.
  static Result<std::shared_ptr<TlsContext>> load(const TlsFiles& files, Time now);
  // Reads the files again, for connections to come. On an error all stays as it was.
  Status reload(Time now);
  // Whether the files are others than those last read, well or not.
  bool has_changed() const;
  TlsChannel accept() const;
  CertificateFacts facts() const;

 private:
  struct Loaded {
    std::shared_ptr<ssl_ctx_st> context;
    CertificateFacts facts;
  };
  explicit TlsContext(TlsFiles files) : files_(std::move(files)) {}
  static Result<Loaded> read(const TlsFiles& files, Time now);
  std::string stamp() const;  // of the files as they are now

  const TlsFiles files_;
  mutable std::mutex mutex_;  // guards what follows
  Loaded loaded_;
  std::string stamp_;
};

}  // namespace attune
