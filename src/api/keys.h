// ApiKeys: the API keys of a workspace: who makes, lists and revokes them asks here, and so does
// every request. They are control records of the engine, so they survive restarts, backups and
// replay; a key itself is never stored. Safe to share.
#pragma once
#include <array>
#include <functional>
#include <memory>
#include <shared_mutex>
#include <string>
#include <string_view>
#include <vector>

#include "api/http_server.h"
#include "catalog/key.h"
#include "engine/engine.h"

namespace attune {

// Variables of the environment that give a new workspace its first keys.
struct KeySeed {
  const char* variable;
  const char* id;
  std::uint8_t scopes;
};
inline constexpr KeySeed kKeySeeds[] = {
    {"ATTUNE_WRITE_KEY", "env_write", bit(Scope::kWrite)},
    {"ATTUNE_API_KEY", "env_api", bit(Scope::kDecide) | bit(Scope::kRead)},
    {"ATTUNE_ADMIN_KEY", "env_admin", bit(Scope::kAdmin)},
};

struct NewKey {
  std::string id;
  std::string key;  // to be shown once: nobody can tell it later
};

struct KeyMatch {
  std::string id;           // "" = unknown
  std::uint8_t scopes = 0;  // 0 when unknown or revoked
  bool is_revoked = false;
  // kAdmin may do everything.
  bool may(Scope scope) const { return (scopes & (bit(scope) | bit(Scope::kAdmin))) != 0; }
};

class ApiKeys {
 public:
  explicit ApiKeys(Engine& engine);  // the keys stored so far; must not outlive the engine

  // A random key of 160 bits. On disk when it returns.
  Result<NewKey> create(std::string_view name, std::uint8_t scopes);
  // kNotFound for an unknown id. From then on the key is answered 401. On disk when it returns.
  Status revoke(const std::string& id);
  std::vector<StoredKey> list() const;  // by id, revoked ones too
  // Gives a workspace without keys those of the environment; `variable` is std::getenv or a test's.
  // Answers the names of variables that were set in vain: the workspace has other keys.
  Result<std::vector<std::string>> seed(const std::function<const char*(const char*)>& variable);
  // Takes the same time whichever key it is.
  KeyMatch find(std::string_view key) const;

 private:
  struct Hashed {
    StoredKey stored;
    std::array<unsigned char, 32> hash{};
    std::array<unsigned char, 16> salt{};
  };
  void reload();
  static bool is_named_by(const StoredKey& stored, std::string_view key);

  Engine& engine_;
  mutable std::shared_mutex mutex_;  // guards keys_
  std::vector<Hashed> keys_;
};

// Basic user name, Bearer token or X-API-Key; "" when the request names none.
std::string key_of(const HttpRequest& request);

}  // namespace attune
