#include "journal/seal.h"

#define ZSTD_STATIC_LINKING_ONLY  // frames without the magic number
#include <pthread.h>
#include <sodium.h>
#include <zstd.h>

#include <array>
#include <atomic>
#include <cstring>
#include <memory>

#include "base/bytes.h"
#include "journal/dictionary.h"

namespace attune {
namespace {

// What follows the flag byte (docs/reference/journal-format.md).
enum Packing : std::uint8_t {
  kStored = 0,
  kZstdV1 = 1,   // a frame against dictionary 1; only read
  kZstdV2 = 2,   // a frame against dictionary 2
  kBlockV2 = 3,  // varint content size, then the one compressed block of such a frame
};
constexpr int kLevel = 3;
constexpr std::size_t kNonceBytes = crypto_aead_chacha20poly1305_ietf_NPUBBYTES;
constexpr std::size_t kTagBytes = crypto_aead_chacha20poly1305_ietf_ABYTES;

const unsigned char* octets(std::string_view s) {
  return reinterpret_cast<const unsigned char*>(s.data());
}
unsigned char* octets(std::string& s) { return reinterpret_cast<unsigned char*>(s.data()); }

template <class T, auto Free>
struct Freer {
  void operator()(T* p) const { Free(p); }
};

// The dictionaries are digested once a process, the contexts once a thread.
struct Compressor {
  Compressor() : context(ZSTD_createCCtx()) {
    static const std::unique_ptr<ZSTD_CDict, Freer<ZSTD_CDict, ZSTD_freeCDict>> dictionary(
        ZSTD_createCDict_byReference(dictionary_v2().data(), dictionary_v2().size(), kLevel));
    CHECK(context != nullptr && dictionary != nullptr);
    ZSTD_CCtx* c = context.get();
    ZSTD_CCtx_setParameter(c, ZSTD_c_format, ZSTD_f_zstd1_magicless);
    // With the size in it the frame needs no window byte, and the reader knows what to allocate.
    ZSTD_CCtx_setParameter(c, ZSTD_c_contentSizeFlag, 1);
    ZSTD_CCtx_setParameter(c, ZSTD_c_checksumFlag, 0);
    ZSTD_CCtx_setParameter(c, ZSTD_c_dictIDFlag, 0);
    ZSTD_CCtx_refCDict(c, dictionary.get());
  }
  std::unique_ptr<ZSTD_CCtx, Freer<ZSTD_CCtx, ZSTD_freeCCtx>> context;
};

using Dictionary = std::unique_ptr<ZSTD_DDict, Freer<ZSTD_DDict, ZSTD_freeDDict>>;
const ZSTD_DDict* dictionary_of(std::uint8_t packing) {
  static const std::array<Dictionary, 2> dictionaries = {
      Dictionary(ZSTD_createDDict_byReference(dictionary_v1().data(), dictionary_v1().size())),
      Dictionary(ZSTD_createDDict_byReference(dictionary_v2().data(), dictionary_v2().size()))};
  return dictionaries[packing == kZstdV1 ? 0 : 1].get();
}

struct Decompressor {
  Decompressor() : context(ZSTD_createDCtx()) {
    CHECK(context != nullptr);
    ZSTD_DCtx_setParameter(context.get(), ZSTD_d_format, ZSTD_f_zstd1_magicless);
  }
  std::unique_ptr<ZSTD_DCtx, Freer<ZSTD_DCtx, ZSTD_freeDCtx>> context;
};

constexpr std::size_t kMaxOneBlock = 65'791;  // the largest content size that takes two bytes

// The start of a frame of one compressed block: its header with the content size (RFC 8878,
// 3.1.1.1), then the block's. All of it follows from two sizes, so it is not stored.
std::string one_block_start(std::size_t content, std::size_t block) {
  std::string out;
  Writer w(out);
  if (content < 256) {
    w.u8(0x20);  // single segment, one byte of content size
    w.u8(static_cast<std::uint8_t>(content));
  } else {
    w.u8(0x60);  // single segment, two bytes of content size
    w.u8(static_cast<std::uint8_t>(content - 256));
    w.u8(static_cast<std::uint8_t>((content - 256) >> 8));
  }
  const std::size_t header = 1 | 2 << 1 | block << 3;  // last; compressed; size
  for (int shift = 0; shift < 24; shift += 8) w.u8(static_cast<std::uint8_t>(header >> shift));
  return out;
}

std::string flagged(Packing packing, std::string_view bytes) {
  std::string out(1, static_cast<char>(packing));
  return out.append(bytes);
}

std::string pack(std::string_view plain) {
  thread_local const Compressor compressor;
  thread_local std::string frame;
  frame.resize(ZSTD_compressBound(plain.size()));
  const std::size_t n = ZSTD_compress2(compressor.context.get(), frame.data(), frame.size(),
                                       plain.data(), plain.size());
  if (ZSTD_isError(n) || n >= plain.size()) return flagged(kStored, plain);
  const auto packed = std::string_view(frame).substr(0, n);
  const std::size_t start_bytes = plain.size() < 256 ? 5 : 6;
  if (plain.size() > kMaxOneBlock || n <= start_bytes ||
      !packed.starts_with(one_block_start(plain.size(), n - start_bytes))) {
    return flagged(kZstdV2, packed);
  }
  std::string out = flagged(kBlockV2, {});
  Writer(out).varint(plain.size());
  return out.append(packed.substr(start_bytes));
}

const Error& does_not_unpack() {
  static const Error bad{Code::kCorrupt, "a sealed payload does not unpack"};
  return bad;
}

Result<std::string> unpack_frame(std::uint8_t packing, std::string_view frame) {
  ZSTD_frameHeader header;
  if (ZSTD_getFrameHeader_advanced(&header, frame.data(), frame.size(), ZSTD_f_zstd1_magicless) !=
          0 ||
      header.frameContentSize > kMaxPayloadBytes) {
    return does_not_unpack();
  }
  thread_local const Decompressor decompressor;
  ZSTD_DCtx* const context = decompressor.context.get();
  ZSTD_DCtx_refDDict(context, dictionary_of(packing));
  std::string plain(static_cast<std::size_t>(header.frameContentSize), '\0');
  const std::size_t n =
      ZSTD_decompressDCtx(context, plain.data(), plain.size(), frame.data(), frame.size());
  if (ZSTD_isError(n) || n != plain.size()) return does_not_unpack();
  return plain;
}

Result<std::string> unpack_block(std::string_view bytes) {
  Reader in(bytes);
  const std::uint64_t content = in.varint();
  const std::string_view block = bytes.substr(bytes.size() - in.left());
  if (!in.ok() || content > kMaxOneBlock || block.size() > kMaxOneBlock) return does_not_unpack();
  return unpack_frame(kBlockV2, one_block_start(content, block.size()).append(block));
}

Result<std::string> unpack(std::string_view packed) {
  if (packed.empty()) return does_not_unpack();
  const auto packing = static_cast<std::uint8_t>(packed[0]);
  packed.remove_prefix(1);
  switch (packing) {
    case kStored:
      return std::string(packed);
    case kZstdV1:
    case kZstdV2:
      return unpack_frame(packing, packed);
    case kBlockV2:
      return unpack_block(packed);
    default:
      return Error{Code::kCorrupt,
                   "a sealed payload has compression " + std::to_string(packing) + ", unknown here",
                   {},
                   "start a newer version of attune"};
  }
}

std::atomic<unsigned> forks{0};

// One system call for many nonces. A forked child must not repeat its parent's, so it refills.
void fill_nonce(unsigned char* out) {
  struct Pool {
    std::array<unsigned char, 4096 / kNonceBytes * kNonceBytes> bytes;
    std::size_t used = sizeof bytes;
    unsigned generation = 0;
  };
  static const int watching =
      pthread_atfork(nullptr, nullptr, [] { forks.fetch_add(1, std::memory_order_relaxed); });
  CHECK(watching == 0);
  thread_local Pool pool;
  const unsigned generation = forks.load(std::memory_order_relaxed);
  if (pool.used == sizeof pool.bytes || pool.generation != generation) {
    randombytes_buf(pool.bytes.data(), pool.bytes.size());
    pool.used = 0;
    pool.generation = generation;
  }
  std::memcpy(out, pool.bytes.data() + pool.used, kNonceBytes);
  pool.used += kNonceBytes;
}

std::string authenticated(const Record& record) {
  std::string out;
  Writer w(out);
  w.u8(static_cast<std::uint8_t>(record.kind));
  w.u64(static_cast<std::uint64_t>(to_us(record.received)));
  w.u64(raw(record.surrogate));
  w.u64(record.id_hash);
  return out;
}

}  // namespace

Result<std::string> seal_payload(const Record& record, const PayloadKey& key) {
  if (record.payload.size() > kMaxPayloadBytes) {
    return Error{Code::kInvalid, "a payload of " + std::to_string(record.payload.size()) +
                                     " bytes is too large; the most is 16 MB"};
  }
  const std::string packed = pack(record.payload);
  const std::string ad = authenticated(record);
  std::string out(kNonceBytes + packed.size() + kTagBytes, '\0');
  fill_nonce(octets(out));
  unsigned long long n = 0;
  crypto_aead_chacha20poly1305_ietf_encrypt(octets(out) + kNonceBytes, &n, octets(packed),
                                            packed.size(), octets(ad), ad.size(), nullptr,
                                            octets(out), key.data());
  return out;
}

Result<std::string> open_payload(const Record& record, const PayloadKey& key) {
  const std::string_view sealed = record.payload;
  const std::string ad = authenticated(record);
  const Error bad{Code::kCorrupt,
                  "a sealed payload fails authentication: journal and key file do not belong "
                  "together, or one is damaged",
                  {},
                  "restore both from the same backup"};
  if (sealed.size() < kNonceBytes + kTagBytes) return bad;
  std::string packed(sealed.size() - kNonceBytes - kTagBytes, '\0');
  unsigned long long n = 0;
  if (crypto_aead_chacha20poly1305_ietf_decrypt(
          octets(packed), &n, nullptr, octets(sealed) + kNonceBytes, sealed.size() - kNonceBytes,
          octets(ad), ad.size(), octets(sealed), key.data()) != 0) {
    return bad;
  }
  return unpack(packed);
}

}  // namespace attune
