// Bytes of a Profile. Decoding checks every count and order, so what decodes encodes canonically.
#include <utility>

#include "base/bytes.h"
#include "profile/profile.h"

namespace attune {
namespace {

constexpr std::uint8_t kFormat = 1;

// A list's length; false when above the limit.
bool length(Reader& in, std::size_t limit, std::size_t& out) {
  out = in.varint();
  return in.ok() && out <= limit;
}

template <class K, class V>
bool is_after_last(const std::vector<std::pair<K, V>>& sorted, const K& key) {
  return sorted.empty() || sorted.back().first < key;
}

bool decode_traits(Reader& in, Profile& out) {
  std::size_t n = 0;
  if (!length(in, kTraitCount, n)) return false;
  for (; n > 0; --n) {
    std::string name(in.str());
    std::string value(in.str());
    if (!in.ok() || name.size() > kTraitBytes || value.size() > kTraitBytes) return false;
    if (!is_after_last(out.traits, name)) return false;
    out.traits.emplace_back(std::move(name), std::move(value));
  }
  return true;
}

bool decode_counts(Reader& in, Profile& out) {
  std::size_t n = 0;
  if (!length(in, kVerbCount, n)) return false;
  for (; n > 0; --n) {
    const std::uint8_t verb = in.u8();
    const auto count = DecayedCount::decode(in);
    if (!in.ok() || verb >= kVerbCount) return false;
    if (!is_after_last(out.counts, static_cast<Verb>(verb))) return false;
    out.counts.emplace_back(static_cast<Verb>(verb), count);
  }
  return true;
}

bool decode_categories(Reader& in, Profile& out) {
  std::size_t n = 0;
  if (!length(in, kCategoryCount, n)) return false;
  for (; n > 0; --n) {
    std::string name(in.str());
    Affinity affinity;
    affinity.shown = DecayedCount::decode(in);
    affinity.engaged = DecayedCount::decode(in);
    if (!in.ok() || !is_after_last(out.categories, name)) return false;
    out.categories.emplace_back(std::move(name), affinity);
  }
  return true;
}

bool decode_items(Reader& in, Profile& out) {
  std::size_t n = 0;
  if (!length(in, kSequenceLength, n)) return false;
  for (; n > 0; --n) {
    const ItemKey item{in.u64()};
    const std::uint8_t verb = in.u8();
    const Time time = time_from_us(in.svarint());
    if (!in.ok() || verb >= kVerbCount) return false;
    out.touches.push_back({item, static_cast<Verb>(verb), time});
  }
  if (!length(in, kSeenLength, n)) return false;
  for (; n > 0; --n) {
    const ItemKey item{in.u64()};
    out.seen.emplace_back(item, time_from_us(in.svarint()));
    if (!in.ok()) return false;
  }
  return true;
}

}  // namespace

void Profile::encode(std::string& out) const {
  Writer writer(out);
  writer.u8(kFormat);
  writer.varint(position);
  writer.u8(denied_purposes);
  writer.varint(traits.size());
  for (const auto& [name, value] : traits) {
    writer.str(name);
    writer.str(value);
  }
  writer.varint(counts.size());
  for (const auto& [verb, count] : counts) {
    writer.u8(static_cast<std::uint8_t>(verb));
    count.encode(out);
  }
  writer.varint(categories.size());
  for (const auto& [name, affinity] : categories) {
    writer.str(name);
    affinity.shown.encode(out);
    affinity.engaged.encode(out);
  }
  writer.varint(touches.size());
  for (const auto& touch : touches) {
    writer.u64(raw(touch.item));
    writer.u8(static_cast<std::uint8_t>(touch.verb));
    writer.svarint(to_us(touch.time));
  }
  writer.varint(seen.size());
  for (const auto& [item, time] : seen) {
    writer.u64(raw(item));
    writer.svarint(to_us(time));
  }
}

Result<Profile> Profile::decode(std::string_view bytes) {
  Reader in(bytes);
  Profile out;
  const std::uint8_t format = in.u8();
  out.position = in.varint();
  out.denied_purposes = in.u8();
  const bool is_good = in.ok() && format == kFormat && decode_traits(in, out) &&
                       decode_counts(in, out) && decode_categories(in, out) &&
                       decode_items(in, out) && in.ok() && in.done();
  if (!is_good) return Error{Code::kCorrupt, "profile bytes are damaged or of another version"};
  return out;
}

}  // namespace attune
