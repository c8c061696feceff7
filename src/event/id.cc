#include "event/id.h"

#include <cstddef>

namespace attune {
namespace {

constexpr std::size_t kMaxIdBytes = 256;

// Length of the valid, non-control UTF-8 character at the start of `s`; 0 when there is none.
std::size_t character_length(std::string_view s) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(s[i]); };
  const unsigned lead = byte(0);
  if (lead < 0x80) return lead < 0x20 || lead == 0x7f ? 0 : 1;
  const std::size_t n = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : 2;
  if (lead < 0xc2 || lead > 0xf4 || s.size() < n) return 0;
  std::uint32_t code = lead & (0xffU >> (n + 1));
  for (std::size_t i = 1; i < n; ++i) {
    if ((byte(i) & 0xc0) != 0x80) return 0;
    code = (code << 6) | (byte(i) & 0x3fU);
  }
  const bool is_overlong = (n == 3 && code < 0x800) || (n == 4 && code < 0x10000);
  const bool is_surrogate = code >= 0xd800 && code <= 0xdfff;
  const bool is_control = code >= 0x80 && code < 0xa0;
  return is_overlong || is_surrogate || is_control || code > 0x10ffff ? 0 : n;
}

}  // namespace

bool is_valid_external_id(std::string_view id) {
  if (id.empty() || id.size() > kMaxIdBytes) return false;
  while (!id.empty()) {
    const std::size_t n = character_length(id);
    if (n == 0) return false;
    id.remove_prefix(n);
  }
  return true;
}

}  // namespace attune
