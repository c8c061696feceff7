// KeyFile: the bytes of the key file, docs/reference/journal-format.md. Slots are appended and
// zeroed with pwrite and read through a shared mapping, so what is in memory are file pages that
// the system may drop. A slot number is never used twice. One writer; slot() may run beside
// everything but map(). Cutting the file short behind our back ends the process (SIGBUS).
#pragma once
#include <array>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "journal/file.h"
#include "journal/seal.h"

namespace attune {

struct KeySlot {
  std::array<unsigned char, 16> id{};  // keyed hash of the external id
  std::uint64_t surrogate = 0;         // 0 = destroyed
  PayloadKey key{};
  std::uint64_t state = 0;
  std::uint64_t checksum = 0;
};
static_assert(sizeof(KeySlot) == 72);

// kRead changes nothing on disk: beside a process that writes.
enum class KeyFileMode { kRead, kWrite, kCreate };

void finish_slot(KeySlot& slot);  // sets state and checksum: live from here on

class KeyFile {
 public:
  // kNotFound when absent and not to be created.
  static Result<KeyFile> open(const std::string& path, KeyFileMode mode);
  KeyFile(KeyFile&& other) noexcept;
  KeyFile& operator=(KeyFile&&) = delete;
  ~KeyFile();

  // Slots the file has room for, before load().
  Result<std::uint32_t> count_slots() const;
  // Checks, repairs what a crash left unless only reading, and calls back for every live slot.
  Status load(const std::function<void(const KeySlot&, std::uint32_t)>& live);
  const PayloadKey& secret() const { return secret_; }
  std::uint32_t slots() const { return slots_; }
  // Below slots(), and mapped.
  const KeySlot& slot(std::uint32_t number) const {
    return *reinterpret_cast<const KeySlot*>(mapping_ + kHeaderBytes + number * sizeof(KeySlot));
  }
  // Writes and syncs these at the end; slots() stays until map().
  Status append(std::string_view slots);
  // Takes `more` slots that append() wrote into slots() and the mapping, which may move.
  Status map(std::uint32_t more);
  Status zero(std::uint32_t number);  // in the mapping at once; on disk after sync()
  Status sync();
  const std::string& path() const { return path_; }

 private:
  static constexpr std::size_t kHeaderBytes = 56;
  KeyFile(std::string path, Fd fd, KeyFileMode mode)
      : path_(std::move(path)), fd_(std::move(fd)), is_read_only_(mode == KeyFileMode::kRead) {}
  static std::uint64_t offset_of(std::uint32_t number) {
    return kHeaderBytes + std::uint64_t{number} * sizeof(KeySlot);
  }
  Status create_header();
  Status write_header();
  Status read_header();
  Status map_bytes(std::size_t bytes);

  std::string path_;
  Fd fd_;
  bool is_read_only_;
  PayloadKey secret_{};
  const unsigned char* mapping_ = nullptr;
  std::size_t mapped_bytes_ = 0;
  std::uint32_t slots_ = 0;
};

}  // namespace attune
