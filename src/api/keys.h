// API keys: scopes; kept as salted hashes, compared in constant time.
#pragma once
#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "api/http_server.h"
#include "catalog/key.h"

namespace attune {

class ApiKeys {
 public:
  ApiKeys();
  // An empty key is not added. kAdmin may do everything.
  void add(std::string_view key, std::uint8_t scopes);
  // The scopes of the key, 0 when unknown. Takes the same time whichever key it is.
  std::uint8_t scopes_of(std::string_view key) const;
  bool empty() const { return keys_.empty(); }

 private:
  struct Hashed {
    std::array<unsigned char, 32> hash;
    std::uint8_t scopes;
  };
  std::array<unsigned char, 32> hash(std::string_view key) const;
  std::array<unsigned char, 32> salt_;
  std::vector<Hashed> keys_;
};

// Basic user name, Bearer token or X-API-Key; "" when the request names none.
std::string key_of(const HttpRequest& request);

}  // namespace attune
