#include "api/keys.h"

#include <sodium.h>

#include <mutex>

#include "base/json.h"

namespace attune {
namespace {

using Hash = std::array<unsigned char, 32>;
using Salt = std::array<unsigned char, 16>;

Hash hash_of(std::string_view key, const Salt& salt) {
  Hash out;
  crypto_generichash(out.data(), out.size(), reinterpret_cast<const unsigned char*>(key.data()),
                     key.size(), salt.data(), salt.size());
  return out;
}

template <std::size_t N>
std::string to_hex(const std::array<unsigned char, N>& bytes) {
  std::string out(2 * N + 1, '\0');
  sodium_bin2hex(out.data(), out.size(), bytes.data(), bytes.size());
  out.pop_back();
  return out;
}

template <std::size_t N>
void from_hex(const std::string& hex, std::array<unsigned char, N>& out) {
  sodium_hex2bin(out.data(), out.size(), hex.data(), hex.size(), nullptr, nullptr, nullptr);
}

// 5 bits a character.
std::string random_text(std::size_t size) {
  constexpr std::string_view kAlphabet = "0123456789abcdefghjkmnpqrstvwxyz";
  std::string out(size, '\0');
  randombytes_buf(out.data(), out.size());
  for (char& c : out) c = kAlphabet[static_cast<unsigned char>(c) & 31];
  return out;
}

std::string put_key(std::string_view id, std::string_view name, std::string_view key,
                    std::uint8_t scopes) {
  Salt salt;
  randombytes_buf(salt.data(), salt.size());
  std::string out;
  JsonWriter json(out);
  json.begin_object().field("op", "put_key").key("key").begin_object().field("id", id);
  json.field("name", name).field("hash", to_hex(hash_of(key, salt))).field("salt", to_hex(salt));
  json.key("scopes").begin_array();
  for (const std::string_view scope : scope_names(scopes)) json.value(scope);
  json.end_array().end_object().end_object();
  return out;
}

}  // namespace

ApiKeys::ApiKeys(Engine& engine) : engine_(engine) {
  CHECK(sodium_init() >= 0);
  reload();
}

void ApiKeys::reload() {
  std::vector<Hashed> keys;
  const auto catalog = engine_.catalog();
  for (const auto& [id, stored] : catalog->keys()) {
    Hashed& key = keys.emplace_back(Hashed{.stored = stored});
    from_hex(stored.hash, key.hash);
    from_hex(stored.salt, key.salt);
  }
  const std::unique_lock lock(mutex_);
  keys_ = std::move(keys);
}

Result<NewKey> ApiKeys::create(std::string_view name, std::uint8_t scopes) {
  const std::string id = random_text(10);
  NewKey made{.id = "k_" + id, .key = "ak_" + id + "_" + random_text(32)};
  TRY_OK(engine_.control({put_key(made.id, name, made.key, scopes)}));
  reload();
  return made;
}

Status ApiKeys::revoke(const std::string& id) {
  std::string change;
  JsonWriter(change).begin_object().field("op", "revoke_key").field("id", id).end_object();
  TRY_OK(engine_.control({change}));
  reload();
  return ok_status();
}

std::vector<StoredKey> ApiKeys::list() const {
  const std::shared_lock lock(mutex_);
  std::vector<StoredKey> keys;
  for (const Hashed& key : keys_) keys.push_back(key.stored);
  return keys;
}

Result<std::vector<std::string>> ApiKeys::seed(
    const std::function<const char*(const char*)>& variable) {
  const bool is_new = list().empty();
  std::vector<std::string> changes, in_vain;
  for (const KeySeed& seed : kKeySeeds) {
    const char* value = variable(seed.variable);
    if (value == nullptr || *value == '\0') continue;
    if (is_new) {
      changes.push_back(put_key(seed.id, "from the environment", value, seed.scopes));
    } else if ((find(value).scopes & seed.scopes) != seed.scopes) {
      in_vain.emplace_back(seed.variable);
    }
  }
  if (!changes.empty()) TRY_OK(engine_.control(changes));
  reload();
  return in_vain;
}

// A key of ours begins with its id; one from the environment may be any text.
bool ApiKeys::is_named_by(const StoredKey& stored, std::string_view key) {
  if (!stored.id.starts_with("k_")) return true;
  const auto id = std::string_view(stored.id).substr(2);
  return key.starts_with("ak_") && key.substr(3).starts_with(id);
}

KeyMatch ApiKeys::find(std::string_view key) const {
  KeyMatch match;
  const std::shared_lock lock(mutex_);
  for (const Hashed& known : keys_) {
    if (!is_named_by(known.stored, key)) continue;
    const Hash hash = hash_of(key, known.salt);
    if (sodium_memcmp(known.hash.data(), hash.data(), hash.size()) != 0) continue;
    if (match.scopes == 0) match.id = known.stored.id;
    // One text may stand in several variables.
    if (!known.stored.is_revoked) match.scopes |= known.stored.scopes;
  }
  match.is_revoked = !match.id.empty() && match.scopes == 0;
  return match;
}

std::string key_of(const HttpRequest& request) {
  if (std::string key(request.header("x-api-key")); !key.empty()) return key;
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
  std::string user = decoded.substr(0, colon);
  if (!user.empty() || colon == std::string::npos) return user;
  return decoded.substr(colon + 1);
}

}  // namespace attune
