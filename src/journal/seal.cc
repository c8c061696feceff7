#include "journal/seal.h"

#define ZSTD_STATIC_LINKING_ONLY  // frames without the magic number
#include <pthread.h>
#include <sodium.h>
#include <zstd.h>

#include <atomic>
#include <cstring>
#include <memory>

#include "base/bytes.h"
#include "journal/dictionary.h"

namespace attune {
namespace {

constexpr std::uint8_t kStored = 0;
constexpr std::uint8_t kZstdV1 = 1;
constexpr std::size_t kNonceBytes = crypto_aead_chacha20poly1305_ietf_NPUBBYTES;
constexpr std::size_t kTagBytes = crypto_aead_chacha20poly1305_ietf_ABYTES;
constexpr int kLevel = 1;

const unsigned char* octets(std::string_view s) {
  return reinterpret_cast<const unsigned char*>(s.data());
}
unsigned char* octets(std::string& s) { return reinterpret_cast<unsigned char*>(s.data()); }

template <class T, auto Free>
struct Freer {
  void operator()(T* p) const { Free(p); }
};

// The dictionary is digested once a process, the contexts once a thread.
struct Compressor {
  Compressor() : context(ZSTD_createCCtx()) {
    static const std::unique_ptr<ZSTD_CDict, Freer<ZSTD_CDict, ZSTD_freeCDict>> dictionary(
        ZSTD_createCDict_byReference(payload_dictionary().data(), payload_dictionary().size(),
                                     kLevel));
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

struct Decompressor {
  Decompressor() : context(ZSTD_createDCtx()) {
    static const std::unique_ptr<ZSTD_DDict, Freer<ZSTD_DDict, ZSTD_freeDDict>> dictionary(
        ZSTD_createDDict_byReference(payload_dictionary().data(), payload_dictionary().size()));
    CHECK(context != nullptr && dictionary != nullptr);
    ZSTD_DCtx_setParameter(context.get(), ZSTD_d_format, ZSTD_f_zstd1_magicless);
    ZSTD_DCtx_refDDict(context.get(), dictionary.get());
  }
  std::unique_ptr<ZSTD_DCtx, Freer<ZSTD_DCtx, ZSTD_freeDCtx>> context;
};

std::string pack(std::string_view plain) {
  thread_local const Compressor compressor;
  std::string out(1 + ZSTD_compressBound(plain.size()), static_cast<char>(kZstdV1));
  const std::size_t n = ZSTD_compress2(compressor.context.get(), out.data() + 1, out.size() - 1,
                                       plain.data(), plain.size());
  if (!ZSTD_isError(n) && n < plain.size()) {
    out.resize(1 + n);
    return out;
  }
  out.assign(1, static_cast<char>(kStored));
  return out.append(plain);
}

Result<std::string> unpack(std::string_view packed) {
  const Error bad{Code::kCorrupt, "a sealed payload does not unpack"};
  if (packed.empty()) return bad;
  const auto flag = static_cast<std::uint8_t>(packed[0]);
  packed.remove_prefix(1);
  if (flag == kStored) return std::string(packed);
  if (flag != kZstdV1) {
    return Error{Code::kCorrupt,
                 "a sealed payload has compression " + std::to_string(flag) + ", unknown here",
                 {},
                 "start a newer version of attune"};
  }
  ZSTD_frameHeader header;
  if (ZSTD_getFrameHeader_advanced(&header, packed.data(), packed.size(), ZSTD_f_zstd1_magicless) !=
          0 ||
      header.frameContentSize > kMaxPayloadBytes) {
    return bad;
  }
  thread_local const Decompressor decompressor;
  std::string plain(static_cast<std::size_t>(header.frameContentSize), '\0');
  const std::size_t n = ZSTD_decompressDCtx(decompressor.context.get(), plain.data(), plain.size(),
                                            packed.data(), packed.size());
  if (ZSTD_isError(n) || n != plain.size()) return bad;
  return plain;
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
