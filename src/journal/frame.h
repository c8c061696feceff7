// Frame: the unit of one write and one sync in a log file; docs/reference/journal-format.md.
#pragma once
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/result.h"
#include "journal/file.h"
#include "journal/journal.h"
#include "journal/record.h"

namespace attune {

inline constexpr std::uint32_t kLogVersion = 3;  // 1 and 2 are read, never appended to
inline constexpr std::size_t kLogHeaderBytes = 20;
inline constexpr std::size_t kFrameHeaderBytes = 32;
inline constexpr std::size_t kMaxFrameBytes = 64u << 20;

std::string log_header();
// The version in it; kCorrupt, or kInvalid when a newer version wrote the file.
Result<std::uint32_t> check_log_header(std::string_view header, const std::string& path);
std::string log_path(const std::string& directory, Position first);

// Most bytes the records can take in a frame.
std::size_t frame_bound(std::span<const Record> records);

// Collects records of consecutive positions into one frame.
class FrameBuilder {
 public:
  // earlier: the latest `received` of all records before this frame.
  explicit FrameBuilder(Position first, Time earlier = Time::min())
      : frame_(kFrameHeaderBytes, '\0'), first_(first), base_(to_us(earlier)) {}
  void add(const Record& record);
  bool empty() const { return count_ == 0; }
  std::size_t bytes() const { return frame_.size(); }
  std::uint32_t count() const { return count_; }
  Position last() const { return first_ + count_ - 1; }
  // The bytes to write; the builder is spent.
  std::string finish();

 private:
  std::string frame_;
  Position first_;
  std::int64_t base_;
  std::uint32_t count_ = 0;
};

struct FrameHeader {
  std::uint32_t length = 0;
  std::uint32_t count = 0;
  Position first = 0;
  std::int64_t base = 0;  // microseconds
  std::uint64_t hash = 0;
};
FrameHeader parse_frame_header(std::string_view bytes);  // at least kFrameHeaderBytes
bool plausible(const FrameHeader& header);
std::uint64_t frame_hash(std::string_view header, std::string_view payload);

// Streams the frames of one log file through a small buffer; one frame in memory at a time.
class LogReader {
 public:
  // kNotFound when there is no such file.
  static Result<LogReader> open(const std::string& path);
  // The header here, whose first position must be `expected`; the payload is neither read nor
  // verified. nullopt: none, or the end of the file (at_end()).
  Result<std::optional<FrameHeader>> peek(Position expected);
  // Past the frame of this header, which peek() gave.
  void skip(const FrameHeader& header) { offset_ += kFrameHeaderBytes + header.length; }
  // The next frame, verified. nullopt: no valid frame here (offset() stays), or the end.
  Result<std::optional<FrameHeader>> next(Position expected);
  // Of the frame next() gave, until the next call.
  std::string_view payload() const { return payload_; }
  std::uint64_t offset() const { return offset_; }
  bool at_end() const { return offset_ == size_; }
  std::uint64_t size() const { return size_; }
  std::uint32_t version() const { return version_; }
  const std::string& path() const { return path_; }
  // Whether a whole, valid frame begins anywhere after offset().
  Result<bool> valid_frame_follows(Position expected) const;
  Error corrupt(std::string_view what) const;

 private:
  LogReader(std::string path, Fd fd, std::uint64_t size, std::uint32_t version)
      : path_(std::move(path)), fd_(std::move(fd)), size_(size), version_(version) {}
  // The file's bytes from `offset`, fewer only at its end; valid until the next call.
  Result<std::string_view> bytes(std::uint64_t offset, std::size_t size);

  std::string path_;
  Fd fd_;
  std::uint64_t size_;
  std::uint32_t version_;
  std::uint64_t offset_ = kLogHeaderBytes;
  std::string buffer_;
  std::uint64_t buffer_offset_ = 0;
  std::string_view payload_;
};

class Reader;
// One record from the front of `in`; false when the bytes are none.
bool decode_record(Reader& in, std::int64_t base, Record& record);

}  // namespace attune
