#include "api/tls.h"

#include <fmt/format.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <sys/stat.h>

#include <cerrno>
#include <cstring>

namespace attune {
namespace {

using ContextPtr = std::shared_ptr<SSL_CTX>;

// The last error of OpenSSL on this thread; forgets all of them.
std::string last_error() {
  const unsigned long code = ERR_peek_last_error();
  ERR_clear_error();
  const char* reason = code == 0 ? nullptr : ERR_reason_error_string(code);
  return reason == nullptr ? "unknown fault" : reason;
}

Error bad_file(const char* setting, const std::string& path, const std::string& what,
               const char* fix) {
  return {Code::kInvalid, fmt::format("{}: {} {}", setting, path, what), setting, fix};
}

Status check_readable(const char* setting, const std::string& path) {
  std::FILE* file = std::fopen(path.c_str(), "re");
  if (file == nullptr) {
    return bad_file(setting, path, fmt::format("cannot be read: {}", std::strerror(errno)),
                    "the user that runs attune must be able to read it");
  }
  std::fclose(file);
  return ok_status();
}

// OpenSSL would ask on the terminal.
int no_password(char*, int, int, void*) { return 0; }

constexpr unsigned char kOurProtocols[] = "\x08http/1.1";

// NOLINTNEXTLINE(readability-function-size): OpenSSL has it so.
int choose_protocol(SSL*, const unsigned char** chosen, unsigned char* size,
                    const unsigned char* offered, unsigned int offered_size, void*) {
  unsigned char* found = nullptr;
  if (SSL_select_next_proto(&found, size, kOurProtocols, sizeof kOurProtocols - 1, offered,
                            offered_size) != OPENSSL_NPN_NEGOTIATED) {
    return SSL_TLSEXT_ERR_ALERT_FATAL;
  }
  *chosen = found;
  return SSL_TLSEXT_ERR_OK;
}

ContextPtr new_context(const SSL_METHOD* method) {
  ContextPtr context(SSL_CTX_new(method), SSL_CTX_free);
  CHECK(context != nullptr);
  SSL_CTX_set_min_proto_version(context.get(), TLS1_2_VERSION);
  SSL_CTX_set_options(context.get(), SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION);
  SSL_CTX_set_mode(context.get(), SSL_MODE_RELEASE_BUFFERS);  // idle connections stay small
  // Of TLS 1.2: forward secret and authenticated alone; all of TLS 1.3 are.
  CHECK(SSL_CTX_set_cipher_list(context.get(), "ECDHE+AESGCM:ECDHE+CHACHA20") == 1);
  SSL_CTX_set_default_passwd_cb(context.get(), no_password);
  return context;
}

Time time_of(const ASN1_TIME* asn1) {
  std::tm parts{};
  if (ASN1_TIME_to_tm(asn1, &parts) != 1) return Time{};
  return time_from_us(std::int64_t{::timegm(&parts)} * 1'000'000);
}

std::string address_text(const ASN1_OCTET_STRING* address) {
  char* text = ::i2s_ASN1_OCTET_STRING(nullptr, address);  // 7F:00:00:01
  std::string out = text == nullptr ? "" : text;
  OPENSSL_free(text);
  if (ASN1_STRING_length(address) != 4) return out;
  const unsigned char* bytes = ASN1_STRING_get0_data(address);
  return fmt::format("{}.{}.{}.{}", bytes[0], bytes[1], bytes[2], bytes[3]);
}

CertificateFacts facts_of(X509* certificate) {
  CertificateFacts facts{.names = {},
                         .begins = time_of(X509_get0_notBefore(certificate)),
                         .ends = time_of(X509_get0_notAfter(certificate)),
                         .is_self_signed = X509_self_signed(certificate, 0) == 1};
  const std::unique_ptr<GENERAL_NAMES, void (*)(GENERAL_NAMES*)> names(
      static_cast<GENERAL_NAMES*>(
          X509_get_ext_d2i(certificate, NID_subject_alt_name, nullptr, nullptr)),
      GENERAL_NAMES_free);
  for (int i = 0; i < sk_GENERAL_NAME_num(names.get()); ++i) {
    const GENERAL_NAME* name = sk_GENERAL_NAME_value(names.get(), i);
    if (name->type == GEN_DNS) {
      const auto* bytes = ASN1_STRING_get0_data(name->d.dNSName);
      facts.names.emplace_back(reinterpret_cast<const char*>(bytes),
                               static_cast<std::size_t>(ASN1_STRING_length(name->d.dNSName)));
    } else if (name->type == GEN_IPADD) {
      facts.names.push_back(address_text(name->d.iPAddress));
    }
  }
  return facts;
}

Status check_times(const TlsFiles& files, const CertificateFacts& facts, Time now) {
  constexpr const char* kSetting = "server.tls_cert";
  if (facts.ends <= now) {
    return bad_file(kSetting, files.certificate, "expired at " + format_iso8601(facts.ends),
                    "get it renewed");
  }
  if (facts.begins > now) {
    return bad_file(kSetting, files.certificate,
                    "does not hold before " + format_iso8601(facts.begins),
                    "wait, or check the clock of this machine");
  }
  return ok_status();
}

std::string stamp_of(const std::string& path) {
  struct stat s {};
  if (::stat(path.c_str(), &s) != 0) return "absent";
  return fmt::format("{} {} {}.{}", s.st_ino, s.st_size, s.st_mtim.tv_sec, s.st_mtim.tv_nsec);
}

}  // namespace

Result<TlsContext::Loaded> TlsContext::read(const TlsFiles& files, Time now) {
  constexpr const char* kCertificate = "server.tls_cert";
  constexpr const char* kKey = "server.tls_key";
  TRY_OK(check_readable(kCertificate, files.certificate));
  TRY_OK(check_readable(kKey, files.key));
  const ContextPtr context = new_context(TLS_server_method());
  ERR_clear_error();
  if (SSL_CTX_use_certificate_chain_file(context.get(), files.certificate.c_str()) != 1) {
    return bad_file(kCertificate, files.certificate,
                    fmt::format("holds no certificate that may serve: {}", last_error()),
                    "a PEM file: the server's certificate, then those that lead to the root");
  }
  if (SSL_CTX_use_PrivateKey_file(context.get(), files.key.c_str(), SSL_FILETYPE_PEM) != 1) {
    const unsigned long code = ERR_peek_last_error();
    if (ERR_GET_LIB(code) == ERR_LIB_X509 && (ERR_GET_REASON(code) == X509_R_KEY_VALUES_MISMATCH ||
                                              ERR_GET_REASON(code) == X509_R_KEY_TYPE_MISMATCH)) {
      ERR_clear_error();
      return bad_file(kKey, files.key, "is not the key of " + files.certificate,
                      "name the key that the certificate was made for");
    }
    return bad_file(kKey, files.key, fmt::format("holds no usable key: {}", last_error()),
                    "a PEM file with the private key, not encrypted");
  }
  Loaded loaded{.context = context, .facts = facts_of(SSL_CTX_get0_certificate(context.get()))};
  TRY_OK(check_times(files, loaded.facts, now));
  SSL_CTX_set_alpn_select_cb(context.get(), choose_protocol, nullptr);
  return loaded;
}

Result<std::shared_ptr<TlsContext>> TlsContext::load(const TlsFiles& files, Time now) {
  std::shared_ptr<TlsContext> made(new TlsContext(files));
  TRY_OK(made->reload(now));
  return made;
}

Status TlsContext::reload(Time now) {
  const std::string stamp = this->stamp();  // before: a change while reading is seen later
  auto loaded = read(files_, now);
  const std::scoped_lock lock(mutex_);
  stamp_ = stamp;
  if (!loaded.ok()) return std::move(loaded).error();
  loaded_ = std::move(loaded).value();
  return ok_status();
}

std::string TlsContext::stamp() const {
  return stamp_of(files_.certificate) + ", " + stamp_of(files_.key);
}

bool TlsContext::has_changed() const {
  const std::string now = stamp();
  const std::scoped_lock lock(mutex_);
  return now != stamp_;
}

CertificateFacts TlsContext::facts() const {
  const std::scoped_lock lock(mutex_);
  return loaded_.facts;
}

TlsChannel TlsContext::accept() const {
  ContextPtr context;
  {
    const std::scoped_lock lock(mutex_);
    context = loaded_.context;
  }
  TlsChannel channel(SSL_new(context.get()));  // holds the context as long as it lives
  CHECK(channel.ssl_ != nullptr);
  SSL_set_bio(channel.ssl_, BIO_new(BIO_s_mem()), BIO_new(BIO_s_mem()));
  SSL_set_accept_state(channel.ssl_);
  return channel;
}

Result<TlsChannel> TlsChannel::client(const std::string& host) {
  const ContextPtr context = new_context(TLS_client_method());
  SSL_CTX_set_default_verify_paths(context.get());
  SSL_CTX_set_verify(context.get(), SSL_VERIFY_PEER, nullptr);
  TlsChannel channel(SSL_new(context.get()));
  CHECK(channel.ssl_ != nullptr);
  SSL_set_bio(channel.ssl_, BIO_new(BIO_s_mem()), BIO_new(BIO_s_mem()));
  SSL_set_connect_state(channel.ssl_);
  const bool is_address =
      X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(channel.ssl_), host.c_str()) == 1;
  ERR_clear_error();
  if (!is_address && (SSL_set1_host(channel.ssl_, host.c_str()) != 1 ||
                      SSL_set_tlsext_host_name(channel.ssl_, host.c_str()) != 1)) {
    return Error{Code::kInvalid, fmt::format("\"{}\" is not a host name", host), "server", ""};
  }
  return channel;
}

TlsChannel::TlsChannel(TlsChannel&& other) noexcept
    : ssl_(std::exchange(other.ssl_, nullptr)), why_(std::move(other.why_)) {}

TlsChannel::~TlsChannel() { SSL_free(ssl_); }

void TlsChannel::feed(std::string_view bytes) {
  const int size = static_cast<int>(bytes.size());
  CHECK(BIO_write(SSL_get_rbio(ssl_), bytes.data(), size) == size);
}

std::string TlsChannel::take_output() {
  BIO* const out = SSL_get_wbio(ssl_);
  std::string bytes(BIO_ctrl_pending(out), '\0');
  if (!bytes.empty()) BIO_read(out, bytes.data(), static_cast<int>(bytes.size()));
  return bytes;
}

TlsChannel::Step TlsChannel::step_of(int result) {
  const int error = SSL_get_error(ssl_, result);
  if (error == SSL_ERROR_WANT_READ) return Step::kMore;
  if (error == SSL_ERROR_ZERO_RETURN) return Step::kClosed;
  const unsigned long code = ERR_peek_last_error();
  const bool is_http =
      ERR_GET_LIB(code) == ERR_LIB_SSL && ERR_GET_REASON(code) == SSL_R_HTTP_REQUEST;
  why_ = last_error();
  const long verified = SSL_get_verify_result(ssl_);
  if (verified != X509_V_OK) why_ = X509_verify_cert_error_string(verified);
  return is_http ? Step::kSpeaksHttp : Step::kFailed;
}

TlsChannel::Step TlsChannel::handshake() {
  ERR_clear_error();
  const int result = SSL_do_handshake(ssl_);
  return result == 1 ? Step::kDone : step_of(result);
}

TlsChannel::Step TlsChannel::read(std::string& text) {
  char record[16384];  // the largest there is
  ERR_clear_error();
  for (bool has_some = false;; has_some = true) {
    std::size_t got = 0;
    const int result = SSL_read_ex(ssl_, record, sizeof record, &got);
    if (result != 1) {
      const Step step = step_of(result);
      return has_some && step != Step::kFailed ? Step::kDone : step;
    }
    text.append(record, got);
  }
}

bool TlsChannel::write(std::string_view text) {
  if (text.empty()) return true;
  ERR_clear_error();
  std::size_t written = 0;
  // A BIO of memory takes all of it.
  return SSL_write_ex(ssl_, text.data(), text.size(), &written) == 1 && written == text.size();
}

void TlsChannel::close() {
  ERR_clear_error();
  SSL_shutdown(ssl_);
  ERR_clear_error();
}

}  // namespace attune
