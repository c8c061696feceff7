// API keys as the catalog stores them: never the key, only a salted hash of it.
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/time.h"

namespace attune {

// What a key may do; a set of them is the sum of their bits. kAdmin may do everything.
enum class Scope : std::uint8_t { kNone = 0, kWrite = 1, kDecide = 2, kRead = 4, kAdmin = 8 };
constexpr std::uint8_t bit(Scope scope) { return static_cast<std::uint8_t>(scope); }
std::optional<Scope> scope_from_name(std::string_view name);
std::vector<std::string_view> scope_names(std::uint8_t scopes);

struct StoredKey {
  std::string id;    // not secret: "k_" and 10 characters, or "env_write" and the like
  std::string name;  // what its maker calls it
  std::string hash;  // 64 hexadecimal digits: BLAKE2b-256 of the key, keyed with the salt
  std::string salt;  // 32 hexadecimal digits
  std::uint8_t scopes = 0;
  Time created{};
  bool is_revoked = false;
  bool operator==(const StoredKey&) const = default;
};

// {"id","name","scopes","created","is_revoked"}: neither hash nor salt.
std::string key_json(const StoredKey& key);

}  // namespace attune
