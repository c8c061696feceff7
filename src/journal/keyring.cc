#include "journal/keyring.h"

#include <sodium.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <mutex>
#include <shared_mutex>
#include <vector>

#include "journal/key_file.h"
#include "journal/seal.h"
#include "journal/slot_index.h"

namespace attune {
namespace {

using IdKey = std::array<unsigned char, 16>;
using HashKey = std::array<unsigned char, crypto_shorthash_KEYBYTES>;

const unsigned char* octets(std::string_view s) {
  return reinterpret_cast<const unsigned char*>(s.data());
}

std::uint64_t hash_of(const IdKey& id) {
  std::uint64_t hash = 0;
  std::memcpy(&hash, id.data(), sizeof hash);
  return hash;
}

// Slots that wait for their sync. Keys are wiped when it is destroyed or cut.
class PendingSlots {
 public:
  PendingSlots() = default;
  PendingSlots(const PendingSlots&) = delete;
  PendingSlots& operator=(const PendingSlots&) = delete;
  ~PendingSlots() { drop_front(slots_.size()); }
  bool empty() const { return slots_.empty(); }
  std::size_t size() const { return slots_.size(); }
  const KeySlot& operator[](std::size_t i) const { return slots_[i]; }
  void add(const KeySlot& slot) {
    if (slots_.size() == slots_.capacity()) grow();
    slots_.push_back(slot);
  }
  void drop_front(std::size_t n) {
    std::move(slots_.begin() + static_cast<std::ptrdiff_t>(n), slots_.end(), slots_.begin());
    sodium_memzero(slots_.data() + (slots_.size() - n), n * sizeof(KeySlot));
    slots_.resize(slots_.size() - n);
  }
  std::string bytes() const {
    return {reinterpret_cast<const char*>(slots_.data()), slots_.size() * sizeof(KeySlot)};
  }
  std::size_t memory_bytes() const { return slots_.capacity() * sizeof(KeySlot); }

 private:
  void grow() {
    std::vector<KeySlot> larger;
    larger.reserve(std::max<std::size_t>(64, slots_.size() * 2));
    larger.assign(slots_.begin(), slots_.end());
    sodium_memzero(slots_.data(), slots_.size() * sizeof(KeySlot));
    slots_.swap(larger);
  }
  std::vector<KeySlot> slots_;
};

class FileKeyring final : public Keyring {
 public:
  explicit FileKeyring(KeyFile file) : file_(std::move(file)) {
    crypto_kdf_derive_from_key(id_key_.data(), id_key_.size(), 1, "attuneid",
                               file_.secret().data());
    crypto_kdf_derive_from_key(hash_key_.data(), hash_key_.size(), 2, "attuneid",
                               file_.secret().data());
  }
  ~FileKeyring() override {
    sodium_memzero(id_key_.data(), id_key_.size());
    sodium_memzero(hash_key_.data(), hash_key_.size());
  }

  Status load() {
    TRY(const std::uint32_t slots, file_.count_slots());
    by_id_.reset(slots);
    by_surrogate_.reset(slots);
    return file_.load([this](const KeySlot& slot, std::uint32_t number) { put(slot, number); });
  }

  std::optional<Surrogate> find(IdType type, std::string_view external_id) const override {
    const IdKey id = id_key(type, external_id);
    const std::shared_lock lock(mutex_);
    return find_locked(id);
  }

  Result<Surrogate> create(IdType type, std::string_view external_id) override {
    KeySlot slot;
    slot.id = id_key(type, external_id);
    randombytes_buf(&slot.surrogate, sizeof slot.surrogate);
    randombytes_buf(slot.key.data(), slot.key.size());
    const std::unique_lock lock(mutex_);
    if (failure_) return *failure_;
    if (const auto known = find_locked(slot.id)) return *known;
    while (slot.surrogate == 0 || slot_of(Surrogate{slot.surrogate})) {
      randombytes_buf(&slot.surrogate, sizeof slot.surrogate);
    }
    finish_slot(slot);
    const std::uint32_t number = file_.slots() + static_cast<std::uint32_t>(pending_.size());
    if (by_id_.is_full()) rebuild_indexes(number);
    pending_.add(slot);
    put(slot, number);
    const Surrogate surrogate{slot.surrogate};
    sodium_memzero(&slot, sizeof slot);
    return surrogate;
  }

  Status sync() override {
    {
      const std::shared_lock lock(mutex_);
      if (pending_.empty() && zeroed_.empty()) return ok_status();
    }
    const std::lock_guard io(io_mutex_);
    TRY_OK(write_pending());
    return settle_zeroed();
  }

  Status destroy(Surrogate surrogate) override {
    return destroy(std::span<const Surrogate>(&surrogate, 1));
  }

  Status destroy(std::span<const Surrogate> surrogates) override {
    const std::lock_guard io(io_mutex_);
    // A slot may still wait to be written: written first, it cannot appear after its destruction.
    TRY_OK(write_pending());
    for (const Surrogate one : surrogates) TRY_OK(zero(one));
    return settle_zeroed();
  }

  bool has_key(Surrogate surrogate) const override {
    const std::shared_lock lock(mutex_);
    return slot_of(surrogate).has_value();
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
    return live_;
  }

  std::size_t memory_bytes() const override {
    const std::shared_lock lock(mutex_);
    return by_id_.memory_bytes() + by_surrogate_.memory_bytes() + pending_.memory_bytes();
  }

 private:
  IdKey id_key(IdType type, std::string_view external_id) const {
    std::string text;
    text.reserve(1 + external_id.size());
    text += static_cast<char>(type);
    text += external_id;
    IdKey out{};
    crypto_shorthash_siphashx24(out.data(), octets(text), text.size(), id_key_.data());
    return out;
  }

  // The rest is under mutex_, shared or not, unless it says so.
  const KeySlot& at(std::uint32_t number) const {
    return number < file_.slots() ? file_.slot(number) : pending_[number - file_.slots()];
  }

  std::optional<std::uint32_t> slot_of(Surrogate surrogate) const {
    return by_surrogate_.find(raw(surrogate),
                              [&](std::uint32_t n) { return at(n).surrogate == raw(surrogate); });
  }

  std::optional<Surrogate> find_locked(const IdKey& id) const {
    const auto number = by_id_.find(hash_of(id), [&](std::uint32_t n) { return at(n).id == id; });
    if (!number) return std::nullopt;
    return Surrogate{at(*number).surrogate};
  }

  void put(const KeySlot& slot, std::uint32_t number) {
    by_id_.put(hash_of(slot.id), number);
    by_surrogate_.put(slot.surrogate, number);
    ++live_;
  }

  // In the file's order, which is kind to its pages.
  void rebuild_indexes(std::uint32_t slots) {
    by_id_.reset(live_);
    by_surrogate_.reset(live_);
    live_ = 0;
    for (std::uint32_t n = 0; n < slots; ++n) {
      if (at(n).surrogate != 0) put(at(n), n);
    }
  }

  Result<PayloadKey> key_of(Surrogate surrogate) const {
    const std::shared_lock lock(mutex_);
    if (const auto number = slot_of(surrogate)) return at(*number).key;
    return Error{Code::kNotFound, "the key of this record does not exist (erased)"};
  }

  // Under io_mutex_. Readers go on while the disk works.
  Status write_pending() {
    std::string batch;
    {
      const std::shared_lock lock(mutex_);
      if (failure_) return *failure_;
      batch = pending_.bytes();
    }
    if (batch.empty()) return ok_status();
    Status status = file_.append(batch);
    sodium_memzero(batch.data(), batch.size());
    const std::unique_lock lock(mutex_);
    const auto written = static_cast<std::uint32_t>(batch.size() / sizeof(KeySlot));
    if (status.ok()) status = file_.map(written);
    if (status.ok()) {
      pending_.drop_front(written);
      return status;
    }
    failure_ = status.error();
    failure_->message += "; the key file takes no new identities until attune is started again";
    return *failure_;
  }

  // Under io_mutex_. No reader may see half of a key, and none may find it afterwards.
  Status zero(Surrogate surrogate) {
    const std::unique_lock lock(mutex_);
    const auto number = slot_of(surrogate);
    if (!number) return ok_status();
    const IdKey id = at(*number).id;
    TRY_OK(file_.zero(*number));
    by_id_.remove(hash_of(id), *number);
    by_surrogate_.remove(raw(surrogate), *number);
    --live_;
    zeroed_.push_back(*number);
    return ok_status();
  }

  // Under io_mutex_. After a failed sync the next call writes the zeros again: the system may have
  // dropped them.
  Status settle_zeroed() {
    if (zeroed_.empty()) return ok_status();
    if (zeros_failed_) {
      for (const std::uint32_t number : zeroed_) TRY_OK(file_.zero(number));
    }
    Status status = file_.sync();
    zeros_failed_ = !status.ok();
    const std::unique_lock lock(mutex_);
    if (status.ok()) zeroed_.clear();
    return status;
  }

  std::mutex io_mutex_;  // before mutex_; held while the disk works; the only writer of file_
  bool zeros_failed_ = false;

  mutable std::shared_mutex mutex_;
  KeyFile file_;
  HashKey id_key_{};
  HashKey hash_key_{};
  SlotIndex by_id_;
  SlotIndex by_surrogate_;
  PendingSlots pending_;               // numbered from file_.slots()
  std::vector<std::uint32_t> zeroed_;  // on disk perhaps not yet; changed under both mutexes
  std::size_t live_ = 0;
  std::optional<Error> failure_;
};

Result<std::unique_ptr<FileKeyring>> open_with(const std::string& path, KeyFileMode mode) {
  CHECK(sodium_init() >= 0);
  TRY(KeyFile file, KeyFile::open(path, mode));
  auto keyring = std::make_unique<FileKeyring>(std::move(file));
  TRY_OK(keyring->load());
  return keyring;
}

}  // namespace

Result<std::unique_ptr<Keyring>> open_keyring(const std::string& path, bool create) {
  TRY(auto keyring, open_with(path, create ? KeyFileMode::kCreate : KeyFileMode::kWrite));
  return std::unique_ptr<Keyring>(std::move(keyring));
}

Result<std::unique_ptr<const Keyring>> open_keyring_reader(const std::string& path) {
  TRY(auto keyring, open_with(path, KeyFileMode::kRead));
  return std::unique_ptr<const Keyring>(std::move(keyring));
}

}  // namespace attune
