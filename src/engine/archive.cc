#include "engine/archive.h"

#include <archive.h>
#include <archive_entry.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <sodium.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <fstream>

#include "journal/file.h"

namespace attune {
namespace {

namespace fs = std::filesystem;
constexpr std::size_t kChunkBytes = 1u << 18;

struct FreeWriter {
  void operator()(archive* a) const { archive_write_free(a); }
};
struct FreeReader {
  void operator()(archive* a) const { archive_read_free(a); }
};
struct FreeEntry {
  void operator()(archive_entry* e) const { archive_entry_free(e); }
};

class Sha256 {
 public:
  Sha256() { crypto_hash_sha256_init(&state_); }
  void add(std::string_view bytes) {
    crypto_hash_sha256_update(&state_, reinterpret_cast<const unsigned char*>(bytes.data()),
                              bytes.size());
  }
  std::string hex() {
    std::array<unsigned char, crypto_hash_sha256_BYTES> digest{};
    crypto_hash_sha256_final(&state_, digest.data());
    std::string out;
    for (const unsigned char byte : digest) out += fmt::format("{:02x}", byte);
    return out;
  }

 private:
  crypto_hash_sha256_state state_{};
};

Status sync_file(const std::string& path) {
  const Fd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd.valid() || ::fsync(fd.get()) != 0) return file_error("sync", path);
  return ok_status();
}

class TarWriter final : public ArchiveWriter {
 public:
  TarWriter(std::string path, Time time)
      : path_(std::move(path)), part_(path_ + ".part"), time_(time) {}
  ~TarWriter() override {
    archive_.reset();
    std::error_code ignored;
    fs::remove(part_, ignored);
  }

  Status open() {
    archive_.reset(archive_write_new());
    archive* const a = archive_.get();
    if (a == nullptr || archive_write_set_format_pax_restricted(a) != ARCHIVE_OK) return failure();
    if (path_.ends_with(".zst") && archive_write_add_filter_zstd(a) != ARCHIVE_OK) return failure();
    if (archive_write_open_filename(a, part_.c_str()) != ARCHIVE_OK) return failure();
    return ok_status();
  }

  Status add_file(const std::string& name, const std::string& source) override {
    const Fd fd(::open(source.c_str(), O_RDONLY | O_CLOEXEC));
    std::error_code error;
    const std::uint64_t size = fs::file_size(source, error);
    if (!fd.valid() || error) return file_error("read", source);
    TRY_OK(begin(name, size));
    for (std::uint64_t at = 0; at < size;) {
      const std::size_t most = std::min<std::uint64_t>(kChunkBytes, size - at);
      TRY(const std::string bytes, read_at(fd.get(), source, at, most));
      if (bytes.empty()) {
        return Error{Code::kUnavailable, fmt::format("{} became shorter while it was read", source),
                     "", "try again"};
      }
      TRY_OK(write(bytes));
      at += bytes.size();
    }
    return end();
  }

  Status add_bytes(const std::string& name, std::string_view bytes) override {
    TRY_OK(begin(name, bytes.size()));
    TRY_OK(write(bytes));
    return end();
  }

  const std::vector<ArchivedFile>& files() const override { return files_; }

  Status finish() override {
    if (archive_write_close(archive_.get()) != ARCHIVE_OK) return failure();
    TRY_OK(sync_file(part_));
    std::error_code error;
    fs::rename(part_, path_, error);
    if (error) return file_error("create", path_);
    const fs::path parent = fs::absolute(path_).parent_path();
    return sync_directory(parent.string());
  }

 private:
  Status begin(const std::string& name, std::uint64_t size) {
    const std::unique_ptr<archive_entry, FreeEntry> entry(archive_entry_new());
    archive_entry_set_pathname(entry.get(), name.c_str());
    archive_entry_set_size(entry.get(), static_cast<la_int64_t>(size));
    archive_entry_set_filetype(entry.get(), AE_IFREG);
    archive_entry_set_perm(entry.get(), 0600);
    archive_entry_set_mtime(entry.get(), static_cast<time_t>(to_us(time_) / 1'000'000), 0);
    files_.push_back({name, size, {}});
    sha256_ = Sha256();
    return archive_write_header(archive_.get(), entry.get()) == ARCHIVE_OK ? ok_status()
                                                                           : Status(failure());
  }
  Status write(std::string_view bytes) {
    sha256_.add(bytes);
    const auto written = archive_write_data(archive_.get(), bytes.data(), bytes.size());
    return written == static_cast<la_ssize_t>(bytes.size()) ? ok_status() : Status(failure());
  }
  Status end() {
    files_.back().sha256 = sha256_.hex();
    return archive_write_finish_entry(archive_.get()) == ARCHIVE_OK ? ok_status()
                                                                    : Status(failure());
  }
  Error failure() const {
    const char* why = archive_ ? archive_error_string(archive_.get()) : nullptr;
    return {Code::kUnavailable,
            fmt::format("cannot write {}: {}", part_, why ? why : "out of memory"), "",
            "check free space and permissions"};
  }

  const std::string path_, part_;
  const Time time_;
  std::unique_ptr<archive, FreeWriter> archive_;
  std::vector<ArchivedFile> files_;
  Sha256 sha256_;
};

class TarReader {
 public:
  explicit TarReader(std::string path) : path_(std::move(path)) {}

  Status open() {
    std::error_code error;
    if (!fs::is_regular_file(path_, error)) {
      return Error{Code::kNotFound, "there is no archive " + path_, "archive",
                   "name a file that attune backup wrote"};
    }
    archive_.reset(archive_read_new());
    archive* const a = archive_.get();
    if (a == nullptr || archive_read_support_filter_zstd(a) != ARCHIVE_OK ||
        archive_read_support_format_tar(a) != ARCHIVE_OK ||
        archive_read_open_filename(a, path_.c_str(), kChunkBytes) != ARCHIVE_OK) {
      return damaged();
    }
    return ok_status();
  }

  // False at the end.
  Result<bool> next() {
    const int status = archive_read_next_header(archive_.get(), &entry_);
    if (status == ARCHIVE_EOF) return false;
    if (status != ARCHIVE_OK) return damaged();
    return true;
  }
  std::string name() const {
    const char* found = archive_entry_pathname(entry_);
    return found ? found : "";
  }
  bool is_file() const { return archive_entry_filetype(entry_) == AE_IFREG; }

  Result<ArchivedFile> extract(const std::string& target) {
    std::ofstream out(target, std::ios::binary | std::ios::trunc);
    ArchivedFile file{name(), 0, {}};
    Sha256 sha256;
    std::vector<char> chunk(kChunkBytes);
    while (true) {
      const auto got = archive_read_data(archive_.get(), chunk.data(), chunk.size());
      if (got < 0) return damaged();
      if (got == 0) break;
      const std::string_view bytes(chunk.data(), static_cast<std::size_t>(got));
      sha256.add(bytes);
      file.bytes += bytes.size();
      out.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
    }
    out.close();
    if (!out) {
      return Error{Code::kUnavailable, "cannot write " + target, "", "check free space"};
    }
    TRY_OK(sync_file(target));
    file.sha256 = sha256.hex();
    return file;
  }

  Error damaged() const {
    const char* why = archive_ ? archive_error_string(archive_.get()) : nullptr;
    return {Code::kCorrupt,
            fmt::format("archive {} is damaged: {}", path_, why ? why : "not a tar file"),
            "archive", "use another backup"};
  }

 private:
  const std::string path_;
  std::unique_ptr<archive, FreeReader> archive_;
  archive_entry* entry_ = nullptr;
};

}  // namespace

Result<std::unique_ptr<ArchiveWriter>> create_archive(const std::string& path, Time time) {
  if (!path.ends_with(".tar") && !path.ends_with(".tar.zst")) {
    return Error{Code::kInvalid, fmt::format("{} is not the name of an archive", path), "output",
                 "end it in .tar, or in .tar.zst to have it compressed"};
  }
  if (fs::exists(path)) {
    return Error{Code::kConflict, fmt::format("{} is there already", path), "output",
                 "name a file that does not exist yet"};
  }
  auto writer = std::make_unique<TarWriter>(path, time);
  TRY_OK(writer->open());
  return std::unique_ptr<ArchiveWriter>(std::move(writer));
}

Result<std::vector<ArchivedFile>> extract_archive(
    const std::string& path, const std::string& folder,
    const std::function<bool(std::string_view name)>& is_wanted) {
  TarReader reader(path);
  TRY_OK(reader.open());
  std::vector<ArchivedFile> files;
  while (true) {
    TRY(const bool is_more, reader.next());
    if (!is_more) return files;
    if (!reader.is_file() || !is_wanted(reader.name())) {
      return Error{
          Code::kCorrupt,
          fmt::format("archive {} holds \"{}\", which no backup does", path, reader.name()),
          "archive", "use a file that attune backup wrote"};
    }
    const std::string target = folder + "/" + reader.name();
    std::error_code error;
    fs::create_directories(fs::path(target).parent_path(), error);
    TRY(ArchivedFile file, reader.extract(target));
    files.push_back(std::move(file));
  }
}

}  // namespace attune
