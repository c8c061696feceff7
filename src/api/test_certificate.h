// For tests: a certificate and its key in files, signed by itself, for localhost and 127.0.0.1.
#pragma once
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include <cstdio>
#include <string>

#include "base/result.h"

namespace attune {

struct TestCertificate {
  long begins_s = -3600;  // from now
  long ends_s = 86400;
  std::string password = {};  // of the key file; "" = not encrypted
};

inline void write_certificate(const std::string& certificate_path, const std::string& key_path,
                              const TestCertificate& wanted = {}) {
  EVP_PKEY* key = EVP_EC_gen("P-256");
  X509* certificate = X509_new();
  X509_set_version(certificate, 2);
  ASN1_INTEGER_set(X509_get_serialNumber(certificate), 7);
  X509_gmtime_adj(X509_getm_notBefore(certificate), wanted.begins_s);
  X509_gmtime_adj(X509_getm_notAfter(certificate), wanted.ends_s);
  X509_set_pubkey(certificate, key);
  X509_NAME* name = X509_get_subject_name(certificate);
  const auto* common = reinterpret_cast<const unsigned char*>("localhost");
  X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, common, -1, -1, 0);
  X509_set_issuer_name(certificate, name);
  X509_EXTENSION* names = X509V3_EXT_conf_nid(nullptr, nullptr, NID_subject_alt_name,
                                              "DNS:localhost,DNS:*.shop.example,IP:127.0.0.1");
  X509_add_ext(certificate, names, -1);
  X509_EXTENSION_free(names);
  CHECK(X509_sign(certificate, key, EVP_sha256()) > 0);
  std::FILE* file = std::fopen(certificate_path.c_str(), "w");
  CHECK(file != nullptr && PEM_write_X509(file, certificate) == 1);
  std::fclose(file);
  file = std::fopen(key_path.c_str(), "w");
  const EVP_CIPHER* cipher = wanted.password.empty() ? nullptr : EVP_aes_128_cbc();
  CHECK(file != nullptr &&
        PEM_write_PKCS8PrivateKey(file, key, cipher, wanted.password.data(),
                                  static_cast<int>(wanted.password.size()), nullptr, nullptr) == 1);
  std::fclose(file);
  X509_free(certificate);
  EVP_PKEY_free(key);
}

}  // namespace attune
