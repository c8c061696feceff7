// What a feature is called inside: 32 bits of a token, salted by its field, so that the same text
// in two fields is two features. The same on every machine and for ever: stored models hold them.
#pragma once
#include <cstdint>
#include <cstring>
#include <string_view>

#include "base/hash.h"

namespace attune {

constexpr std::uint64_t field_salt(std::uint32_t field) { return mix64(field, 0x5bf03635aca9d1e7); }

inline std::uint64_t namespace_salt(std::string_view name) {
  return mix64(hash64(name), 0x9ae16a3b2f90404f);
}

// Of a token of `size` <= 8 bytes, little-endian in `word`, the rest zero: one multiplication.
inline std::uint32_t short_token_hash(std::uint64_t salt, std::uint64_t word, std::size_t size) {
  const auto product =
      static_cast<unsigned __int128>(word ^ salt) * (0xe7037ed1a0b428dbULL + 2 * size);
  const auto folded =
      static_cast<std::uint64_t>(product) ^ static_cast<std::uint64_t>(product >> 64);
  return static_cast<std::uint32_t>(folded ^ (folded >> 32));
}

inline std::uint32_t token_hash(std::uint64_t salt, std::string_view token) {
  if (token.size() > 8) {
    const std::uint64_t hash = hash64(token, salt);
    return static_cast<std::uint32_t>(hash ^ (hash >> 32));
  }
  std::uint64_t word = 0;
  if (!token.empty()) std::memcpy(&word, token.data(), token.size());
  return short_token_hash(salt, word, token.size());
}

inline std::uint32_t feature_hash(std::uint32_t field, std::string_view token) {
  return token_hash(field_salt(field), token);
}

}  // namespace attune
