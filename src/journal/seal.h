// Sealing of payloads: zstd, then ChaCha20-Poly1305. Safe to share.
#pragma once
#include <array>
#include <cstdint>
#include <string>

#include "base/result.h"
#include "journal/record.h"

namespace attune {

inline constexpr std::size_t kMaxPayloadBytes = 16u << 20;
using PayloadKey = std::array<unsigned char, 32>;

// nonce (12), sealed flag byte and text, tag (16).
Result<std::string> seal_payload(const Record& record, const PayloadKey& key);
Result<std::string> open_payload(const Record& record, const PayloadKey& key);

}  // namespace attune
