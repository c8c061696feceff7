#include "format/unpack.h"

#include <fmt/format.h>
#include <zlib.h>
#include <zstd.h>

#include <algorithm>
#include <optional>
#include <vector>

namespace attune {
namespace {

constexpr std::size_t kInputBytes = 128 << 10;
constexpr int kMaxWindowLog = 27;

// What gzip and zstd share: the packed bytes waiting, and an error kept until all before it is
// given.
class Unpacker : public ByteSource {
 public:
  explicit Unpacker(std::unique_ptr<ByteSource> packed)
      : packed_(std::move(packed)), input_(kInputBytes) {}
  Result<std::size_t> read(std::span<char> out) final {
    if (fault_) return *fault_;
    auto got = unpack(out);
    if (!got.ok()) fault_ = got.error();
    return got;
  }
  std::uint64_t taken() const final { return packed_->taken() - waiting(); }
  std::uint64_t size() const final { return packed_->size(); }
  const std::string& name() const final { return packed_->name(); }

 protected:
  virtual Result<std::size_t> unpack(std::span<char> out) = 0;
  virtual std::size_t waiting() const = 0;  // packed bytes read and not yet used
  Result<std::span<char>> more() {          // empty at the end
    TRY(const std::size_t got, packed_->read(input_));
    return std::span(input_).first(got);
  }
  Error fault(std::string_view what) const {
    return {Code::kCorrupt, fmt::format("{}: {} at byte {}", name(), what, taken()), "",
            "fetch or pack the file again"};
  }
  // An error that follows `given` bytes waits for the next call.
  Result<std::size_t> after(std::size_t given, Error error) {
    if (given == 0) return error;
    fault_ = std::move(error);
    return given;
  }

 private:
  const std::unique_ptr<ByteSource> packed_;
  std::vector<char> input_;
  std::optional<Error> fault_;
};

class GzipSource final : public Unpacker {
 public:
  explicit GzipSource(std::unique_ptr<ByteSource> packed) : Unpacker(std::move(packed)) {
    CHECK(inflateInit2(&stream_, 16 + MAX_WBITS) == Z_OK);
  }
  GzipSource(const GzipSource&) = delete;
  GzipSource& operator=(const GzipSource&) = delete;
  ~GzipSource() override { (void)inflateEnd(&stream_); }

 protected:
  std::size_t waiting() const override { return stream_.avail_in; }
  Result<std::size_t> unpack(std::span<char> out) override {
    stream_.next_out = reinterpret_cast<Bytef*>(out.data());
    stream_.avail_out = static_cast<uInt>(std::min<std::size_t>(out.size(), 1U << 30));
    const uInt room = stream_.avail_out;
    while (stream_.avail_out == room) {
      if (stream_.avail_in == 0 && !is_full_) {
        TRY(const std::span<char> input, more());
        if (input.empty()) return is_between_ ? Result<std::size_t>(0) : fault("gzip is cut off");
        stream_.next_in = reinterpret_cast<Bytef*>(input.data());
        stream_.avail_in = static_cast<uInt>(input.size());
      }
      if (is_between_) {
        skip_padding();
        if (stream_.avail_in == 0) continue;
        is_between_ = false;
      }
      const int code = inflate(&stream_, Z_NO_FLUSH);
      is_full_ = stream_.avail_out == 0 && code != Z_STREAM_END;
      if (code == Z_STREAM_END) {
        CHECK(inflateReset(&stream_) == Z_OK);
        is_between_ = true;
      } else if (code != Z_OK && code != Z_BUF_ERROR) {
        const char* why = stream_.msg == nullptr ? "damaged" : stream_.msg;
        return after(room - stream_.avail_out, fault(fmt::format("gzip is damaged ({})", why)));
      }
    }
    return room - stream_.avail_out;
  }

 private:
  void skip_padding() {  // tapes and block devices end files with zeros
    while (stream_.avail_in > 0 && *stream_.next_in == 0) {
      ++stream_.next_in;
      --stream_.avail_in;
    }
  }
  z_stream stream_{};
  bool is_between_ = false;  // a member has ended and no other has begun
  bool is_full_ = false;     // the output was filled: more may wait inside
};

class ZstdSource final : public Unpacker {
 public:
  explicit ZstdSource(std::unique_ptr<ByteSource> packed)
      : Unpacker(std::move(packed)), context_(ZSTD_createDCtx()) {
    CHECK(context_ != nullptr);
    CHECK(
        !ZSTD_isError(ZSTD_DCtx_setParameter(context_.get(), ZSTD_d_windowLogMax, kMaxWindowLog)));
  }

 protected:
  std::size_t waiting() const override { return input_.size - input_.pos; }
  Result<std::size_t> unpack(std::span<char> out) override {
    ZSTD_outBuffer output{out.data(), out.size(), 0};
    while (output.pos == 0) {
      if (input_.pos == input_.size && !is_full_) {
        TRY(const std::span<char> input, more());
        if (input.empty()) return is_between_ ? Result<std::size_t>(0) : fault("zstd is cut off");
        input_ = {input.data(), input.size(), 0};
      }
      const std::size_t code = ZSTD_decompressStream(context_.get(), &output, &input_);
      if (ZSTD_isError(code)) {
        return after(output.pos,
                     fault(fmt::format("zstd is damaged ({})", ZSTD_getErrorName(code))));
      }
      is_between_ = code == 0;
      is_full_ = output.pos == output.size && code != 0;
    }
    return output.pos;
  }

 private:
  struct Free {
    void operator()(ZSTD_DCtx* context) const { ZSTD_freeDCtx(context); }
  };
  const std::unique_ptr<ZSTD_DCtx, Free> context_;
  ZSTD_inBuffer input_{};
  bool is_between_ = false;  // a frame has ended and no other has begun
  bool is_full_ = false;     // the output was filled: more may wait inside
};

}  // namespace

Packing packing_of(std::string_view head) {
  if (head.size() < kMagicBytes) return Packing::kNone;
  if (head.starts_with("\x1f\x8b\x08")) return Packing::kGzip;
  if (head.starts_with("\x28\xb5\x2f\xfd")) return Packing::kZstd;
  const bool is_skippable = (head[0] & '\xf0') == '\x50' && head.substr(1, 3) == "\x2a\x4d\x18";
  return is_skippable ? Packing::kZstd : Packing::kNone;
}

Result<std::unique_ptr<ByteSource>> unpack_gzip(std::unique_ptr<ByteSource> packed) {
  return std::unique_ptr<ByteSource>(std::make_unique<GzipSource>(std::move(packed)));
}

Result<std::unique_ptr<ByteSource>> unpack_zstd(std::unique_ptr<ByteSource> packed) {
  return std::unique_ptr<ByteSource>(std::make_unique<ZstdSource>(std::move(packed)));
}

}  // namespace attune
