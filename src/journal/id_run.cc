#include "journal/id_run.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <vector>

#include "base/bytes.h"
#include "base/hash.h"
#include "journal/file.h"

namespace attune {
namespace {

constexpr std::string_view kMagic = "ATTIDRN1";
constexpr std::uint32_t kVersion = 1;
constexpr std::size_t kHeaderBytes = 128;
constexpr std::size_t kHashedHeaderBytes = 64;
constexpr std::size_t kBatch = 1u << 16;

std::uint64_t block_count(std::uint64_t ids) { return ids / kIdsOfBlock + 1; }
std::uint64_t filter_offset(std::uint64_t ids) { return kHeaderBytes + (ids + 7) / 8 * 64; }
std::uint64_t file_bytes(std::uint64_t ids) {
  return filter_offset(ids) + block_count(ids) * 32 + 8;
}

std::string encode_header(const IdRunHeader& header) {
  std::string out(kMagic);
  Writer w(out);
  w.u32(kVersion);
  w.u32(0);
  w.u64(header.first);
  w.u64(header.last);
  w.u64(header.count);
  w.u64(static_cast<std::uint64_t>(to_us(header.earliest)));
  w.u64(static_cast<std::uint64_t>(to_us(header.latest)));
  w.u64(header.through);
  w.u64(hash64(out));
  out.resize(kHeaderBytes, '\0');
  return out;
}

Error damaged(const std::string& path, std::string_view what) {
  const std::string folder = path.substr(0, path.rfind('/'));
  const std::string hint = "remove the folder " + folder + "; it is made again from the journal";
  return {
      Code::kCorrupt, fmt::format("id run file {} is damaged: {}; {}", path, what, hint), {}, hint};
}

}  // namespace

std::string id_run_path(const std::string& directory, std::uint64_t first, std::uint64_t last) {
  return fmt::format("{}/{:012}-{:012}.run", directory, first, last);
}

IdRun::~IdRun() {
  if (mapping_ != nullptr) ::munmap(const_cast<char*>(mapping_), bytes_);
}

Status IdRun::map() {
  const Fd fd(::open(path_.c_str(), O_RDONLY | O_CLOEXEC));
  struct stat info {};
  if (!fd.valid() || ::fstat(fd.get(), &info) != 0) return file_error("open", path_);
  bytes_ = static_cast<std::size_t>(info.st_size);
  if (bytes_ < kHeaderBytes) return damaged(path_, "it is cut short");
  void* const at = ::mmap(nullptr, bytes_, PROT_READ, MAP_SHARED, fd.get(), 0);
  if (at == MAP_FAILED) return file_error("map", path_);
  mapping_ = static_cast<const char*>(at);
  return ok_status();
}

Status IdRun::check() {
  const std::string_view file(mapping_, bytes_);
  Reader r(file.substr(kMagic.size()));
  const std::uint32_t version = r.u32();
  (void)r.u32();
  header_.first = r.u64();
  header_.last = r.u64();
  header_.count = r.u64();
  header_.earliest = time_from_us(static_cast<std::int64_t>(r.u64()));
  header_.latest = time_from_us(static_cast<std::int64_t>(r.u64()));
  header_.through = r.u64();
  if (!file.starts_with(kMagic) || r.u64() != hash64(file.substr(0, kHashedHeaderBytes))) {
    return damaged(path_, "its header is not valid");
  }
  if (version > kVersion) {
    return Error{Code::kInvalid,
                 fmt::format("{} has id run format {}; this program reads up to format {}", path_,
                             version, kVersion),
                 {},
                 "start a newer version of attune"};
  }
  if (header_.count > bytes_ / 8 || file_bytes(header_.count) != bytes_) {
    return damaged(path_, "it is cut short");
  }
  const auto hashed = file.substr(kHeaderBytes, bytes_ - kHeaderBytes - 8);
  if (Reader(file.substr(bytes_ - 8)).u64() != hash64(hashed)) {
    return damaged(path_, "its checksum does not match");
  }
  return ok_status();
}

Result<std::shared_ptr<const IdRun>> IdRun::open(const std::string& path) {
  std::shared_ptr<IdRun> run(new IdRun(path));
  TRY_OK(run->map());
  TRY_OK(run->check());
  const char* const at = run->mapping_;
  const std::uint64_t count = run->header_.count;
  run->ids_ = {reinterpret_cast<const std::uint64_t*>(at + kHeaderBytes), count};
  run->filter_ = {reinterpret_cast<const IdBlock*>(at + filter_offset(count)), block_count(count)};
  return std::shared_ptr<const IdRun>(std::move(run));
}

// The ids are keyed hashes, hence uniform: an id lies near its share of the list. The steps double.
bool IdRun::contains(std::uint64_t id) const {
  if (ids_.empty()) return false;
  const auto guess =
      static_cast<std::size_t>((static_cast<unsigned __int128>(id) * ids_.size()) >> 64);
  std::size_t low = guess, high = guess, step = 64;
  for (; low > 0 && ids_[low] > id; step *= 2) low -= std::min(low, step);
  for (step = 64; high < ids_.size() && ids_[high] < id; step *= 2) {
    high += std::min(ids_.size() - high, step);
  }
  const auto begin = ids_.begin() + static_cast<std::ptrdiff_t>(low);
  const auto end = ids_.begin() + static_cast<std::ptrdiff_t>(std::min(high + 1, ids_.size()));
  return std::binary_search(begin, end, id);
}

// Ids first, streamed; then the filter from them; the header last.
struct IdRunWriter {
  std::string path;
  Fd fd;
  IdRunHeader header;
  std::vector<std::uint64_t> batch = {};
  std::uint64_t last_id = 0;

  Status write_batch() {
    const std::uint64_t at = kHeaderBytes + (header.count - batch.size()) * 8;
    TRY_OK(write_at(fd.get(), path, at,
                    {reinterpret_cast<const char*>(batch.data()), batch.size() * 8}));
    batch.clear();
    return ok_status();
  }

  Status add(std::uint64_t id) {
    if (id == last_id) return ok_status();
    last_id = id;
    batch.push_back(id);
    ++header.count;
    return batch.size() < kBatch ? ok_status() : write_batch();
  }

  Status write_ids(std::span<const std::uint64_t> a, std::span<const std::uint64_t> b) {
    batch.reserve(kBatch);
    while (!a.empty() || !b.empty()) {
      auto& from = b.empty() || (!a.empty() && a.front() <= b.front()) ? a : b;
      TRY_OK(add(from.front()));
      from = from.subspan(1);
    }
    return write_batch();
  }

  Status write_filter() {
    IdRun reader(path);
    std::vector<IdBlock> blocks(block_count(header.count));
    if (::ftruncate(fd.get(), static_cast<off_t>(filter_offset(header.count))) != 0) {
      return file_error("write", path);
    }
    TRY_OK(reader.map());
    const std::span ids(reinterpret_cast<const std::uint64_t*>(reader.mapping_ + kHeaderBytes),
                        header.count);
    for (const std::uint64_t id : ids) {
      const IdBlock bits = bits_of_id(id);
      IdBlock& block = blocks[block_of_id(id, blocks.size())];
      for (std::size_t i = 0; i < 8; ++i) block.words[i] |= bits.words[i];
    }
    return write_at(fd.get(), path, filter_offset(header.count),
                    {reinterpret_cast<const char*>(blocks.data()), blocks.size() * 32});
  }

  Status finish() {
    TRY_OK(write_at(fd.get(), path, 0, encode_header(header)));
    IdRun reader(path);
    TRY_OK(reader.map());
    std::string checksum;
    const std::string_view file(reader.mapping_, reader.bytes_);
    Writer(checksum).u64(hash64(file.substr(kHeaderBytes)));
    TRY_OK(write_at(fd.get(), path, file.size(), checksum));
    if (::fsync(fd.get()) != 0) return file_error("sync", path);
    return ok_status();
  }
};

Result<std::shared_ptr<const IdRun>> write_id_run(const std::string& directory, IdRunHeader header,
                                                  std::span<const std::uint64_t> a,
                                                  std::span<const std::uint64_t> b) {
  const std::string path = id_run_path(directory, header.first, header.last);
  const std::string fresh = path + ".new";
  header.count = 0;
  IdRunWriter writer{fresh, Fd(::open(fresh.c_str(), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600)),
                     header};
  if (!writer.fd.valid()) return file_error("create", fresh);
  TRY_OK(writer.write_ids(a, b));
  TRY_OK(writer.write_filter());
  TRY_OK(writer.finish());
  if (::rename(fresh.c_str(), path.c_str()) != 0) return file_error("create", path);
  TRY_OK(sync_directory(directory));
  return IdRun::open(path);
}

}  // namespace attune
