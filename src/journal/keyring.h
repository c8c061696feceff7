// Keyring: the one key file. Maps a keyed hash of an external id to its surrogate and key, and
// seals payloads. Destroying a key makes everything sealed under it unreadable, in backups too.
// Safe to share.
#pragma once
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/result.h"
#include "event/id.h"
#include "journal/record.h"

namespace attune {

enum class IdType : std::uint8_t { kUser = 0, kAnonymous = 1 };

class Keyring {
 public:
  virtual ~Keyring() = default;
  virtual std::optional<Surrogate> find(IdType type, std::string_view external_id) const = 0;
  // The surrogate of a new identity, with a fresh key. Durable only after sync().
  virtual Result<Surrogate> create(IdType type, std::string_view external_id) = 0;
  // Writes new keys to disk; must come before the records sealed under them are acknowledged.
  virtual Status sync() = 0;
  // Overwrites key and id hash on disk and in memory, synced. Unknown surrogates are ignored. After
  // an error it may be called again.
  virtual Status destroy(Surrogate surrogate) = 0;
  // The same of many, with one sync.
  virtual Status destroy(std::span<const Surrogate> surrogates) = 0;
  virtual bool has_key(Surrogate surrogate) const = 0;
  // Keyed 64-bit hash of a message or decision id; never 0.
  virtual std::uint64_t id_hash(std::string_view id) const = 0;
  // zstd (with the built-in dictionary) then ChaCha20-Poly1305 under the surrogate's key, random
  // nonce; kind, received, surrogate and id_hash of the record are authenticated. Replaces payload.
  virtual Status seal(Record& record) const = 0;
  // The plain payload. kNotFound when the key is destroyed, kCorrupt when authentication fails.
  virtual Result<std::string> open(const Record& record) const = 0;
  virtual std::size_t size() const = 0;
  // Anonymous memory: the indexes and what waits for sync(); the keys are file pages.
  virtual std::size_t memory_bytes() const = 0;
};

// Creates the file when absent and `create` is set; kNotFound says where it should be otherwise.
Result<std::unique_ptr<Keyring>> open_keyring(const std::string& path, bool create);

// For a workspace that is stopped or in use: changes nothing. Keys made after it was opened are
// unknown to it, keys destroyed are gone at once.
Result<std::unique_ptr<const Keyring>> open_keyring_reader(const std::string& path);

}  // namespace attune
