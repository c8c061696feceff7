#include "journal/key_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sodium.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <limits>

#include "base/bytes.h"
#include "base/hash.h"

namespace attune {
namespace {

constexpr std::string_view kMagic = "ATTKEYS1";
constexpr std::uint32_t kVersion = 1;
constexpr std::uint64_t kLive = 1;
constexpr std::size_t kPage = 4096;
constexpr std::size_t kSmallestMapping = 1u << 20;

std::string_view bytes_of(const KeySlot& slot) {
  return {reinterpret_cast<const char*>(&slot), sizeof slot};
}
bool all_zero(std::string_view s) { return s.find_first_not_of('\0') == std::string_view::npos; }

std::uint64_t checksum_of(const KeySlot& slot) {
  return hash64(bytes_of(slot).substr(0, sizeof slot - sizeof slot.checksum));
}
bool is_live(const KeySlot& slot) {
  return slot.state == kLive && slot.checksum == checksum_of(slot);
}

// A power cut may keep one page of a slot and not the other, while it is created or destroyed.
// Either way nobody was told that it is there.
bool torn_between_pages(const KeySlot& slot, std::uint64_t offset) {
  const std::size_t cut = kPage - offset % kPage;
  const std::string_view bytes = bytes_of(slot);
  return cut < bytes.size() && (all_zero(bytes.substr(0, cut)) || all_zero(bytes.substr(cut)));
}

Error corrupt(const std::string& path, std::uint64_t offset) {
  return Error{
      Code::kCorrupt,
      fmt::format("key file {} is damaged at offset {}; restore it from a backup", path, offset),
      {},
      "restore the key file from a backup"};
}

Result<std::uint64_t> file_size(int fd, const std::string& path) {
  struct stat info {};
  if (::fstat(fd, &info) != 0) return file_error("open", path);
  return static_cast<std::uint64_t>(info.st_size);
}

}  // namespace

void finish_slot(KeySlot& slot) {
  slot.state = kLive;
  slot.checksum = checksum_of(slot);
}

KeyFile::KeyFile(KeyFile&& other) noexcept
    : path_(std::move(other.path_)),
      fd_(std::move(other.fd_)),
      is_read_only_(other.is_read_only_),
      secret_(std::exchange(other.secret_, {})),
      mapping_(std::exchange(other.mapping_, nullptr)),
      mapped_bytes_(std::exchange(other.mapped_bytes_, 0)),
      slots_(other.slots_) {}

KeyFile::~KeyFile() {
  sodium_memzero(secret_.data(), secret_.size());
  if (mapping_ != nullptr) ::munmap(const_cast<unsigned char*>(mapping_), mapped_bytes_);
}

Result<KeyFile> KeyFile::open(const std::string& path, KeyFileMode mode) {
  const int access = mode == KeyFileMode::kRead ? O_RDONLY : O_RDWR;
  KeyFile file(path, Fd(::open(path.c_str(), access | O_CLOEXEC)), mode);
  if (file.fd_.valid()) {
    if (mode != KeyFileMode::kRead && ::fchmod(file.fd_.get(), 0600) != 0) {
      return file_error("open", path);
    }
    TRY_OK(file.read_header());
    return file;
  }
  if (errno != ENOENT) return file_error("open", path);
  if (mode != KeyFileMode::kCreate) {
    return Error{Code::kNotFound,
                 fmt::format("there is no key file {}: without it nothing can be read", path),
                 {},
                 "put the key file there, from a backup if it is lost"};
  }
  TRY_OK(file.create_header());
  return file;
}

// Under another name until whole: a crash leaves no half-made key file.
Status KeyFile::create_header() {
  const std::string fresh = path_ + ".new";
  fd_ = Fd(::open(fresh.c_str(), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600));
  if (!fd_.valid()) return file_error("create", fresh);
  TRY_OK(write_header());
  if (::rename(fresh.c_str(), path_.c_str()) != 0) return file_error("create", path_);
  const std::filesystem::path parent = std::filesystem::path(path_).parent_path();
  return sync_directory(parent.empty() ? "." : parent.string());
}

Status KeyFile::write_header() {
  randombytes_buf(secret_.data(), secret_.size());
  std::string header(kMagic);
  Writer w(header);
  w.u32(kVersion);
  w.u32(0);
  header.append(reinterpret_cast<const char*>(secret_.data()), secret_.size());
  w.u64(hash64(header));
  Status status = write_at(fd_.get(), path_, 0, header);
  sodium_memzero(header.data(), header.size());
  if (status.ok() && ::fsync(fd_.get()) != 0) return file_error("sync", path_);
  return status;
}

Status KeyFile::read_header() {
  TRY(std::string header, read_at(fd_.get(), path_, 0, kHeaderBytes));
  if (header.size() < kHeaderBytes || !header.starts_with(kMagic)) return corrupt(path_, 0);
  const auto hashed = std::string_view(header).substr(0, kHeaderBytes - 8);
  if (Reader(std::string_view(header).substr(kHeaderBytes - 8)).u64() != hash64(hashed)) {
    return corrupt(path_, 0);
  }
  const std::uint32_t version = Reader(std::string_view(header).substr(8)).u32();
  if (version > kVersion) {
    return Error{Code::kInvalid,
                 fmt::format("{} has key file format {}; this program reads up to format {}", path_,
                             version, kVersion),
                 {},
                 "start a newer version of attune"};
  }
  std::memcpy(secret_.data(), header.data() + 16, secret_.size());
  sodium_memzero(header.data(), header.size());
  return ok_status();
}

Result<std::uint32_t> KeyFile::count_slots() const {
  TRY(const std::uint64_t size, file_size(fd_.get(), path_));
  const std::uint64_t whole = (size - kHeaderBytes) / sizeof(KeySlot);
  if (whole < std::numeric_limits<std::uint32_t>::max()) return static_cast<std::uint32_t>(whole);
  return Error{Code::kInvalid, fmt::format("key file {} has too many slots", path_)};
}

Status KeyFile::load(const std::function<void(const KeySlot&, std::uint32_t)>& live) {
  TRY(const std::uint32_t whole, count_slots());
  TRY(const std::uint64_t size, file_size(fd_.get(), path_));
  TRY_OK(map_bytes(size));
  std::optional<std::uint64_t>
      bad;  // offset of the first bad slot with no live one after it so far
  for (std::uint32_t n = 0; n < whole; ++n) {
    if (is_live(slot(n))) {
      if (bad) return corrupt(path_, *bad);
      live(slot(n), n);
      slots_ = n + 1;
      continue;
    }
    if (!all_zero(bytes_of(slot(n))) && !torn_between_pages(slot(n), offset_of(n))) {
      if (!bad) bad = offset_of(n);
      continue;
    }
    if (!is_read_only_ && !all_zero(bytes_of(slot(n)))) TRY_OK(zero(n));
    if (!bad) slots_ = n + 1;
  }
  ::madvise(const_cast<unsigned char*>(mapping_), mapped_bytes_, MADV_RANDOM);
  if (is_read_only_) return ok_status();
  // A torn tail was never acknowledged.
  const std::uint64_t end = offset_of(slots_);
  if (end < size && ::ftruncate(fd_.get(), static_cast<off_t>(end)) != 0) {
    return file_error("truncate", path_);
  }
  return sync();
}

Status KeyFile::append(std::string_view slots) {
  TRY_OK(write_at(fd_.get(), path_, offset_of(slots_), slots));
  return sync();
}

Status KeyFile::map(std::uint32_t more) {
  TRY_OK(map_bytes(offset_of(slots_ + more)));
  slots_ += more;
  return ok_status();
}

Status KeyFile::zero(std::uint32_t number) {
  return write_at(fd_.get(), path_, offset_of(number), std::string(sizeof(KeySlot), '\0'));
}

Status KeyFile::sync() {
  if (::fdatasync(fd_.get()) != 0) return file_error("sync", path_);
  return ok_status();
}

// The mapping reaches beyond the file's end, so that it seldom has to move.
Status KeyFile::map_bytes(std::size_t bytes) {
  if (bytes <= mapped_bytes_) return ok_status();
  std::size_t wanted = std::max(kSmallestMapping, mapped_bytes_);
  while (wanted < bytes) wanted *= 2;
  void* const old = const_cast<unsigned char*>(mapping_);
  void* const fresh = old == nullptr ? ::mmap(nullptr, wanted, PROT_READ, MAP_SHARED, fd_.get(), 0)
                                     : ::mremap(old, mapped_bytes_, wanted, MREMAP_MAYMOVE);
  if (fresh == MAP_FAILED) return file_error("map", path_);
  mapping_ = static_cast<const unsigned char*>(fresh);
  mapped_bytes_ = wanted;
  return ok_status();
}

}  // namespace attune
