#include "journal/keyring.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sodium.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <mutex>
#include <shared_mutex>
#include <unordered_map>

#include "base/bytes.h"
#include "base/hash.h"
#include "journal/file.h"
#include "journal/seal.h"

namespace attune {
namespace {

constexpr std::string_view kMagic = "ATTKEYS1";
constexpr std::uint32_t kVersion = 1;
constexpr std::size_t kHeaderBytes = 56;
constexpr std::size_t kSlotBytes = 72;
constexpr std::uint64_t kLive = 1;
constexpr std::size_t kPage = 4096;

using IdKey = std::array<unsigned char, 16>;
struct IdKeyHash {
  std::size_t operator()(const IdKey& key) const {
    std::size_t h = 0;
    std::memcpy(&h, key.data(), sizeof h);
    return h;
  }
};
struct Identity {
  IdKey id{};
  PayloadKey key{};
  std::uint64_t slot = 0;
};

const unsigned char* octets(std::string_view s) {
  return reinterpret_cast<const unsigned char*>(s.data());
}
std::uint64_t slot_offset(std::uint64_t slot) { return kHeaderBytes + slot * kSlotBytes; }
bool all_zero(std::string_view s) { return s.find_first_not_of('\0') == std::string_view::npos; }
std::string_view bytes_of(const auto& array) {
  return {reinterpret_cast<const char*>(array.data()), array.size()};
}

std::string encode_slot(Surrogate surrogate, const Identity& identity) {
  std::string out(bytes_of(identity.id));
  Writer w(out);
  w.u64(raw(surrogate));
  out.append(bytes_of(identity.key));
  w.u64(kLive);
  w.u64(hash64(out));
  return out;
}

bool valid_slot(std::string_view slot) {
  Reader r(slot.substr(kSlotBytes - 16));
  return r.u64() == kLive && r.u64() == hash64(slot.substr(0, kSlotBytes - 8));
}

// A power cut may keep one page of a slot and not the other, while it is created or destroyed.
// Either way nobody was told that it is there.
bool torn_between_pages(std::string_view slot, std::uint64_t offset) {
  const std::size_t cut = kPage - offset % kPage;
  return cut < kSlotBytes && (all_zero(slot.substr(0, cut)) || all_zero(slot.substr(cut)));
}

Error corrupt(const std::string& path, std::uint64_t offset) {
  return Error{
      Code::kCorrupt,
      fmt::format("key file {} is damaged at offset {}; restore it from a backup", path, offset),
      {},
      "restore the key file from a backup"};
}

class FileKeyring final : public Keyring {
 public:
  FileKeyring(std::string path, Fd fd) : path_(std::move(path)), fd_(std::move(fd)) {}
  ~FileKeyring() override {
    for (auto& [surrogate, identity] : by_surrogate_) {
      sodium_memzero(identity.key.data(), identity.key.size());
    }
    sodium_memzero(secret_.data(), secret_.size());
  }

  Status init_new() {
    randombytes_buf(secret_.data(), secret_.size());
    std::string header(kMagic);
    Writer w(header);
    w.u32(kVersion);
    w.u32(0);
    header.append(bytes_of(secret_));
    w.u64(hash64(header));
    TRY_OK(write_at(fd_.get(), path_, 0, header));
    if (::fsync(fd_.get()) != 0) return file_error("sync", path_);
    derive_keys();
    return ok_status();
  }

  Status load(std::uint64_t size) {
    TRY_OK(load_header());
    std::uint64_t valid_end = kHeaderBytes;
    std::uint64_t bad = 0;  // offset of the first bad slot with no valid one after it so far
    for (std::uint64_t at = kHeaderBytes; at + kSlotBytes <= size; at += kSlotBytes) {
      TRY(const std::string slot, read_at(fd_.get(), path_, at, kSlotBytes));
      if (slot.size() < kSlotBytes) break;
      if (valid_slot(slot)) {
        if (bad != 0) return corrupt(path_, bad);
        index_slot(slot, (at - kHeaderBytes) / kSlotBytes);
        valid_end = at + kSlotBytes;
      } else if (all_zero(slot)) {
        if (bad == 0) valid_end = at + kSlotBytes;
      } else if (torn_between_pages(slot, at)) {
        TRY_OK(write_at(fd_.get(), path_, at, std::string(kSlotBytes, '\0')));
        if (bad == 0) valid_end = at + kSlotBytes;
      } else if (bad == 0) {
        bad = at;
      }
    }
    // A torn tail was never acknowledged.
    if (valid_end < size && ::ftruncate(fd_.get(), static_cast<off_t>(valid_end)) != 0) {
      return file_error("truncate", path_);
    }
    next_slot_ = written_slots_ = (valid_end - kHeaderBytes) / kSlotBytes;
    if (::fdatasync(fd_.get()) != 0) return file_error("sync", path_);
    return ok_status();
  }

  std::optional<Surrogate> find(IdType type, std::string_view external_id) const override {
    const IdKey id = id_key(type, external_id);
    const std::shared_lock lock(mutex_);
    const auto it = by_id_.find(id);
    if (it == by_id_.end()) return std::nullopt;
    return it->second;
  }

  Result<Surrogate> create(IdType type, std::string_view external_id) override {
    Identity identity;
    identity.id = id_key(type, external_id);
    randombytes_buf(identity.key.data(), identity.key.size());
    const std::unique_lock lock(mutex_);
    if (failure_) return *failure_;
    if (const auto it = by_id_.find(identity.id); it != by_id_.end()) return it->second;
    std::uint64_t random = 0;
    while (random == 0 || by_surrogate_.contains(Surrogate{random})) {
      randombytes_buf(&random, sizeof random);
    }
    identity.slot = next_slot_++;
    pending_ += encode_slot(Surrogate{random}, identity);
    by_id_.emplace(identity.id, Surrogate{random});
    by_surrogate_.emplace(Surrogate{random}, identity);
    return Surrogate{random};
  }

  Status sync() override {
    const std::lock_guard io(io_mutex_);
    return write_pending();
  }

  Status destroy(Surrogate surrogate) override {
    const std::lock_guard io(io_mutex_);
    std::uint64_t slot = 0;
    {
      const std::shared_lock lock(mutex_);
      const auto it = by_surrogate_.find(surrogate);
      if (it == by_surrogate_.end()) return ok_status();
      slot = it->second.slot;
    }
    // The slot may still wait to be written: written first, it cannot appear after its destruction.
    TRY_OK(write_pending());
    // Disk before memory: after an error the caller can try again.
    TRY_OK(write_at(fd_.get(), path_, slot_offset(slot), std::string(kSlotBytes, '\0')));
    if (::fdatasync(fd_.get()) != 0) return file_error("sync", path_);
    const std::unique_lock lock(mutex_);
    const auto it = by_surrogate_.find(surrogate);
    by_id_.erase(it->second.id);
    sodium_memzero(&it->second, sizeof it->second);
    by_surrogate_.erase(it);
    return ok_status();
  }

  bool has_key(Surrogate surrogate) const override {
    const std::shared_lock lock(mutex_);
    return by_surrogate_.contains(surrogate);
  }

  std::uint64_t id_hash(std::string_view id) const override {
    std::uint64_t h = 0;
    crypto_shorthash(reinterpret_cast<unsigned char*>(&h), octets(id), id.size(), hash_key_.data());
    return h != 0 ? h : 1;
  }

  Status seal(Record& record) const override {
    TRY(PayloadKey key, key_of(record.surrogate));
    auto sealed = seal_payload(record, key);
    sodium_memzero(key.data(), key.size());
    if (!sealed.ok()) return std::move(sealed).error();
    record.payload = std::move(sealed).value();
    return ok_status();
  }

  Result<std::string> open(const Record& record) const override {
    if (raw(record.surrogate) == 0) return record.payload;
    TRY(PayloadKey key, key_of(record.surrogate));
    auto plain = open_payload(record, key);
    sodium_memzero(key.data(), key.size());
    return plain;
  }

  std::size_t size() const override {
    const std::shared_lock lock(mutex_);
    return by_surrogate_.size();
  }

 private:
  Status load_header() {
    TRY(const std::string header, read_at(fd_.get(), path_, 0, kHeaderBytes));
    if (header.size() < kHeaderBytes || !header.starts_with(kMagic)) return corrupt(path_, 0);
    Reader sum(std::string_view(header).substr(kHeaderBytes - 8));
    if (sum.u64() != hash64(std::string_view(header).substr(0, kHeaderBytes - 8))) {
      return corrupt(path_, 0);
    }
    Reader r(std::string_view(header).substr(8));
    const std::uint32_t version = r.u32();
    if (version > kVersion) {
      return Error{Code::kInvalid,
                   fmt::format("{} has key file format {}; this program reads up to format {}",
                               path_, version, kVersion),
                   {},
                   "start a newer version of attune"};
    }
    std::memcpy(secret_.data(), header.data() + 16, secret_.size());
    derive_keys();
    return ok_status();
  }

  void derive_keys() {
    crypto_kdf_derive_from_key(id_key_.data(), id_key_.size(), 1, "attuneid", secret_.data());
    crypto_kdf_derive_from_key(hash_key_.data(), hash_key_.size(), 2, "attuneid", secret_.data());
  }

  IdKey id_key(IdType type, std::string_view external_id) const {
    std::string text(1, static_cast<char>(type));
    text += external_id;
    IdKey out{};
    crypto_shorthash_siphashx24(out.data(), octets(text), text.size(), id_key_.data());
    return out;
  }

  void index_slot(std::string_view slot, std::uint64_t number) {
    Identity identity;
    std::uint64_t surrogate = 0;
    std::memcpy(identity.id.data(), slot.data(), 16);
    std::memcpy(&surrogate, slot.data() + 16, 8);
    std::memcpy(identity.key.data(), slot.data() + 24, 32);
    identity.slot = number;
    by_id_[identity.id] = Surrogate{surrogate};
    by_surrogate_[Surrogate{surrogate}] = identity;
  }

  // Under io_mutex_. The state stays unlocked while the disk works.
  Status write_pending() {
    std::string batch;
    {
      const std::unique_lock lock(mutex_);
      if (failure_) return *failure_;
      batch.swap(pending_);
    }
    if (batch.empty()) return ok_status();
    Status status = write_at(fd_.get(), path_, slot_offset(written_slots_), batch);
    if (status.ok() && ::fdatasync(fd_.get()) != 0) status = file_error("sync", path_);
    if (status.ok()) {
      written_slots_ += batch.size() / kSlotBytes;
      sodium_memzero(batch.data(), batch.size());
      return status;
    }
    const std::unique_lock lock(mutex_);
    failure_ = status.error();
    failure_->message += "; the key file takes no new identities until attune is started again";
    return *failure_;
  }

  Result<PayloadKey> key_of(Surrogate surrogate) const {
    const std::shared_lock lock(mutex_);
    const auto it = by_surrogate_.find(surrogate);
    if (it != by_surrogate_.end()) return it->second.key;
    return Error{Code::kNotFound, "the key of this record does not exist (erased)"};
  }

  const std::string path_;
  const Fd fd_;
  PayloadKey secret_{};
  std::array<unsigned char, crypto_shorthash_KEYBYTES> id_key_{};
  std::array<unsigned char, crypto_shorthash_KEYBYTES> hash_key_{};

  std::mutex io_mutex_;  // before mutex_; held while the disk works
  std::uint64_t written_slots_ = 0;

  mutable std::shared_mutex mutex_;
  std::unordered_map<IdKey, Surrogate, IdKeyHash> by_id_;
  std::unordered_map<Surrogate, Identity, IdHash> by_surrogate_;
  std::string pending_;
  std::uint64_t next_slot_ = 0;
  std::optional<Error> failure_;
};

}  // namespace

Result<std::unique_ptr<Keyring>> open_keyring(const std::string& path, bool create) {
  CHECK(sodium_init() >= 0);
  Fd fd(::open(path.c_str(), O_RDWR | O_CLOEXEC));
  const bool absent = !fd.valid() && errno == ENOENT;
  if (absent && !create) {
    return Error{Code::kNotFound,
                 fmt::format("there is no key file {}: without it nothing can be read", path),
                 {},
                 "put the key file there, from a backup if it is lost"};
  }
  if (absent) {
    // Under another name until whole: a crash leaves no half-made key file.
    const std::string fresh = path + ".new";
    fd = Fd(::open(fresh.c_str(), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600));
    if (!fd.valid()) return file_error("create", fresh);
    auto keyring = std::make_unique<FileKeyring>(path, std::move(fd));
    TRY_OK(keyring->init_new());
    if (::rename(fresh.c_str(), path.c_str()) != 0) return file_error("create", path);
    std::filesystem::path parent = std::filesystem::path(path).parent_path();
    TRY_OK(sync_directory(parent.empty() ? "." : parent.string()));
    return std::unique_ptr<Keyring>(std::move(keyring));
  }
  struct stat info {};
  if (!fd.valid() || ::fstat(fd.get(), &info) != 0 || ::fchmod(fd.get(), 0600) != 0) {
    return file_error("open", path);
  }
  auto keyring = std::make_unique<FileKeyring>(path, std::move(fd));
  TRY_OK(keyring->load(static_cast<std::uint64_t>(info.st_size)));
  return std::unique_ptr<Keyring>(std::move(keyring));
}

}  // namespace attune
