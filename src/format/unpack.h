// Unpacking gzip and zstd as they stream by. Memory is bounded: 32 KB of window for gzip, at most
// 128 MB for zstd (what `zstd --ultra` needs); a file that asks for more is refused. One thread.
#pragma once
#include <memory>
#include <string_view>

#include "format/bytes.h"

namespace attune {

enum class Packing { kNone, kGzip, kZstd };
inline constexpr std::size_t kMagicBytes = 4;
Packing packing_of(std::string_view head);  // by the first kMagicBytes; shorter = kNone

// Members (frames) one after the other are one text, as the programs gzip and zstd have it.
Result<std::unique_ptr<ByteSource>> unpack_gzip(std::unique_ptr<ByteSource> packed);
Result<std::unique_ptr<ByteSource>> unpack_zstd(std::unique_ptr<ByteSource> packed);

}  // namespace attune
