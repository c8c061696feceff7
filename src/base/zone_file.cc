// TimeZone::parse: the TZif files of the tz database (RFC 8536).
#include <fmt/format.h>

#include "base/bytes.h"
#include "base/time_zone.h"

namespace attune {
namespace {

constexpr std::size_t kTypeBytes = 6;
constexpr std::uint32_t kMostEntries = 20'000;
constexpr int kMostOffsetS = 26 * 3600;

struct Header {
  std::uint8_t version = 0;
  std::uint32_t is_utc = 0, is_standard = 0, leaps = 0, changes = 0, types = 0, letters = 0;
  // Bytes of what follows, with times of so many bytes.
  std::size_t bytes(std::size_t time) const {
    return changes * (time + 1) + types * kTypeBytes + letters + leaps * (time + 4) + is_standard +
           is_utc;
  }
};

std::uint32_t big_u32(Reader& in) { return __builtin_bswap32(in.u32()); }

bool read_header(std::string_view bytes, Header& header) {
  constexpr std::size_t kMagic = 4, kReserved = 15;
  if (!bytes.starts_with("TZif") || bytes.size() < kMagic + 1 + kReserved) return false;
  header.version = static_cast<std::uint8_t>(bytes[kMagic]);
  Reader in(bytes.substr(kMagic + 1 + kReserved));
  for (std::uint32_t* count : {&header.is_utc, &header.is_standard, &header.leaps, &header.changes,
                               &header.types, &header.letters}) {
    *count = big_u32(in);
    if (*count > kMostEntries) return false;
  }
  return in.ok() && header.types > 0 && header.types <= 256;
}

}  // namespace

Result<TimeZone> TimeZone::parse(std::string_view name, std::string_view bytes) {
  const Error corrupt{Code::kCorrupt,
                      fmt::format("the file of the time zone {} is not as RFC 8536 has it", name),
                      "time_zone", "install the package tzdata again"};
  constexpr std::size_t kHeaderBytes = 44;
  Header header;
  if (!read_header(bytes, header) || header.version < '2') return corrupt;
  const std::size_t first = kHeaderBytes + header.bytes(4);  // for readers of old
  if (bytes.size() < first || !read_header(bytes.substr(first), header)) return corrupt;
  bytes.remove_prefix(first + kHeaderBytes);
  const std::size_t changes = header.changes;
  if (bytes.size() < header.bytes(8)) return corrupt;

  TimeZone zone;
  zone.name_ = name;
  Reader times(bytes), kinds(bytes.substr(changes * 8));
  Reader types(bytes.substr(changes * 9));
  std::vector<int> offsets;
  for (std::uint32_t i = 0; i < header.types; ++i) {
    offsets.push_back(static_cast<std::int32_t>(big_u32(types)));
    if (std::abs(offsets.back()) > kMostOffsetS) return corrupt;
    types.u8();  // whether it is summer
    types.u8();  // where its letters begin
  }
  zone.first_offset_s_ = offsets[0];
  for (std::uint32_t i = 0; i < header.changes; ++i) {
    const auto at_s = static_cast<std::int64_t>(__builtin_bswap64(times.u64()));
    const std::uint8_t type = kinds.u8();
    const bool is_rising = i == 0 || at_s > zone.changes_.back().at_s;
    if (!is_rising || type >= offsets.size()) return corrupt;
    zone.changes_.push_back({at_s, offsets[type]});
  }
  std::string_view footer = bytes.substr(header.bytes(8));
  if (footer.size() < 2 || footer[0] != '\n' || footer.back() != '\n') return corrupt;
  footer = footer.substr(1, footer.size() - 2);
  if (footer.empty()) return zone;  // nothing is known of later
  zone.rule_ = parse_zone_rule(footer);
  if (!zone.rule_) return corrupt;
  return zone;
}

}  // namespace attune
