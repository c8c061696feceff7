#include "journal/frame.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "base/bytes.h"
#include "base/hash.h"

namespace attune {
namespace {

constexpr std::string_view kMagic = "ATTJRNL1";
constexpr std::uint8_t kHasSurrogate = 0x40;
constexpr std::uint8_t kHasIdHash = 0x80;
constexpr std::uint8_t kKindMask = 0x3f;
constexpr std::size_t kHashedHeaderBytes = kFrameHeaderBytes - 8;
constexpr std::size_t kScanChunk = 1u << 20;
constexpr std::size_t kReadAhead = 64u << 10;

}  // namespace

std::string log_header() {
  std::string out(kMagic);
  Writer w(out);
  w.u32(kLogVersion);
  w.u64(hash64(out));
  return out;
}

Result<std::uint32_t> check_log_header(std::string_view header, const std::string& path) {
  const std::string hint = "restore this file from a backup";
  if (header.size() < kLogHeaderBytes || header.substr(0, 8) != kMagic) {
    return Error{
        Code::kCorrupt, fmt::format("{} is not a journal file (offset 0)", path), {}, hint};
  }
  Reader r(header.substr(8));
  const std::uint32_t version = r.u32();
  if (r.u64() != hash64(header.substr(0, 12))) {
    return Error{Code::kCorrupt,
                 fmt::format("the header of journal file {} is damaged (offset 0); {}", path, hint),
                 {},
                 hint};
  }
  if (version > kLogVersion) {
    return Error{Code::kInvalid,
                 fmt::format("{} has journal format {}; this program reads up to format {}", path,
                             version, kLogVersion),
                 {},
                 "start a newer version of attune"};
  }
  return version;
}

std::string log_path(const std::string& directory, Position first) {
  return fmt::format("{}/{:020}.log", directory, first);
}

std::size_t frame_bound(std::span<const Record> records) {
  std::size_t bound = 0;
  for (const Record& r : records) bound += 1 + 10 + 8 + 8 + 10 + r.payload.size();
  return bound;
}

void FrameBuilder::add(const Record& record) {
  const std::int64_t received = to_us(record.received);
  if (count_++ == 0) base_ = std::max(base_, received);
  Writer w(frame_);
  auto kind = static_cast<std::uint8_t>(record.kind);
  CHECK(kind <= kKindMask);
  if (raw(record.surrogate) != 0) kind |= kHasSurrogate;
  if (record.id_hash != 0) kind |= kHasIdHash;
  w.u8(kind);
  // Unsigned: any two times, no overflow.
  w.svarint(static_cast<std::int64_t>(static_cast<std::uint64_t>(received) -
                                      static_cast<std::uint64_t>(base_)));
  if (raw(record.surrogate) != 0) w.u64(raw(record.surrogate));
  if (record.id_hash != 0) w.u64(record.id_hash);
  w.str(record.payload);
}

std::string FrameBuilder::finish() {
  std::string header;
  Writer w(header);
  w.u32(static_cast<std::uint32_t>(frame_.size() - kFrameHeaderBytes));
  w.u32(count_);
  w.u64(first_);
  w.u64(static_cast<std::uint64_t>(base_));
  w.u64(frame_hash(header, std::string_view(frame_).substr(kFrameHeaderBytes)));
  frame_.replace(0, kFrameHeaderBytes, header);
  return std::move(frame_);
}

FrameHeader parse_frame_header(std::string_view bytes) {
  Reader r(bytes);
  FrameHeader h;
  h.length = r.u32();
  h.count = r.u32();
  h.first = r.u64();
  h.base = static_cast<std::int64_t>(r.u64());
  h.hash = r.u64();
  return h;
}

bool plausible(const FrameHeader& h) {
  // A record takes three bytes at least.
  return h.count > 0 && h.length <= kMaxFrameBytes && h.count <= h.length / 3;
}

std::uint64_t frame_hash(std::string_view header, std::string_view payload) {
  return hash64(payload, hash64(header.substr(0, kHashedHeaderBytes)));
}

Result<LogReader> LogReader::open(const std::string& path) {
  Fd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  struct stat info {};
  if (!fd.valid() && errno == ENOENT) {
    return Error{Code::kNotFound, fmt::format("journal file {} is not there", path)};
  }
  if (!fd.valid() || ::fstat(fd.get(), &info) != 0) return file_error("open", path);
  TRY(const std::string header, read_at(fd.get(), path, 0, kLogHeaderBytes));
  TRY(const std::uint32_t version, check_log_header(header, path));
  return LogReader(path, std::move(fd), static_cast<std::uint64_t>(info.st_size), version);
}

Result<std::string_view> LogReader::bytes(std::uint64_t offset, std::size_t size) {
  if (offset < buffer_offset_ || offset + size > buffer_offset_ + buffer_.size()) {
    TRY(buffer_, read_at(fd_.get(), path_, offset, std::max(size, kReadAhead)));
    buffer_offset_ = offset;
  }
  return std::string_view(buffer_).substr(offset - buffer_offset_, size);
}

Result<std::optional<FrameHeader>> LogReader::peek(Position expected) {
  const std::optional<FrameHeader> none;
  if (size_ - offset_ < kFrameHeaderBytes) return none;
  TRY(const std::string_view header, bytes(offset_, kFrameHeaderBytes));
  if (header.size() < kFrameHeaderBytes) return none;
  const FrameHeader h = parse_frame_header(header);
  if (!plausible(h) || h.first != expected) return none;
  if (size_ - offset_ - kFrameHeaderBytes < h.length) return none;
  return std::optional(h);
}

Result<std::optional<FrameHeader>> LogReader::next(Position expected) {
  TRY(const std::optional<FrameHeader> header, peek(expected));
  if (!header) return header;
  const std::size_t whole = kFrameHeaderBytes + header->length;
  TRY(const std::string_view frame, bytes(offset_, whole));
  if (frame.size() < whole) return std::optional<FrameHeader>();
  payload_ = frame.substr(kFrameHeaderBytes);
  if (frame_hash(frame, payload_) != header->hash) return std::optional<FrameHeader>();
  offset_ += whole;
  return header;
}

Result<bool> LogReader::valid_frame_follows(Position expected) const {
  // The bad frame holds a record at least, and no frame holds more records than bytes: few offsets
  // look like a header, so hashing at each of those stays cheap.
  const Position most = expected + size_;
  for (std::uint64_t start = offset_ + 1; start + kFrameHeaderBytes <= size_; start += kScanChunk) {
    TRY(const std::string chunk,
        read_at(fd_.get(), path_, start, kScanChunk + kFrameHeaderBytes - 1));
    for (std::size_t i = 0; i < kScanChunk && i + kFrameHeaderBytes <= chunk.size(); ++i) {
      const auto bytes = std::string_view(chunk).substr(i, kFrameHeaderBytes);
      const FrameHeader h = parse_frame_header(bytes);
      if (!plausible(h) || h.first <= expected || h.first > most) continue;
      if (size_ - start - i - kFrameHeaderBytes < h.length) continue;
      TRY(const std::string body,
          read_at(fd_.get(), path_, start + i + kFrameHeaderBytes, h.length));
      if (frame_hash(bytes, body) == h.hash) return true;
    }
  }
  return false;
}

Error LogReader::corrupt(std::string_view what) const {
  return Error{Code::kCorrupt,
               fmt::format("journal file {} is damaged at offset {}: {}; restore it from a backup",
                           path_, offset_, what),
               {},
               "restore this file from a backup"};
}

bool decode_record(Reader& in, std::int64_t base, Record& record) {
  const std::uint8_t kind = in.u8();
  record.kind = static_cast<Kind>(kind & kKindMask);
  const auto delta = static_cast<std::uint64_t>(in.svarint());
  record.received =
      time_from_us(static_cast<std::int64_t>(static_cast<std::uint64_t>(base) + delta));
  record.surrogate = Surrogate{(kind & kHasSurrogate) != 0 ? in.u64() : 0};
  record.id_hash = (kind & kHasIdHash) != 0 ? in.u64() : 0;
  record.payload = in.str();
  return in.ok();
}

}  // namespace attune
