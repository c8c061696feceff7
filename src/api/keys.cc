#include "api/keys.h"

#include <sodium.h>

namespace attune {

ApiKeys::ApiKeys() {
  CHECK(sodium_init() >= 0);
  randombytes_buf(salt_.data(), salt_.size());
}

std::array<unsigned char, 32> ApiKeys::hash(std::string_view key) const {
  std::array<unsigned char, 32> out;
  crypto_generichash(out.data(), out.size(), reinterpret_cast<const unsigned char*>(key.data()),
                     key.size(), salt_.data(), salt_.size());
  return out;
}

void ApiKeys::add(std::string_view key, std::uint8_t scopes) {
  if (!key.empty()) keys_.push_back({hash(key), scopes});
}

std::uint8_t ApiKeys::scopes_of(std::string_view key) const {
  const auto wanted = hash(key);
  std::uint8_t scopes = 0;
  for (const Hashed& known : keys_) {
    if (sodium_memcmp(known.hash.data(), wanted.data(), wanted.size()) == 0) scopes |= known.scopes;
  }
  return scopes;
}

std::string key_of(const HttpRequest& request) {
  if (const std::string key(request.header("x-api-key")); !key.empty()) return key;
  const std::string text(request.header("authorization"));
  if (text.starts_with("Bearer ")) return text.substr(7);
  if (!text.starts_with("Basic ")) return {};
  std::string decoded(text.size(), '\0');
  std::size_t size = 0;
  if (sodium_base642bin(reinterpret_cast<unsigned char*>(decoded.data()), decoded.size(),
                        text.data() + 6, text.size() - 6, nullptr, &size, nullptr,
                        sodium_base64_VARIANT_ORIGINAL) != 0) {
    return {};
  }
  decoded.resize(size);
  const auto colon = decoded.find(':');
  const std::string user = decoded.substr(0, colon);
  if (!user.empty() || colon == std::string::npos) return user;
  return decoded.substr(colon + 1);
}

}  // namespace attune
