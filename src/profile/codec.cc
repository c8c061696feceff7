// Bytes of a Profile. Times are ages before the newest one. Decoding checks every count and order,
// so what decodes encodes canonically.
#include <algorithm>

#include "base/bytes.h"
#include "profile/profile.h"

namespace attune {
namespace {

constexpr std::uint8_t kFormat = 2;

// The newest time in the profile: what all others are counted back from.
std::uint32_t newest_s(const Profile& profile) {
  std::uint32_t newest = std::max(profile.shown.as_of_s(), profile.answered.as_of_s());
  for (const auto& [verb, count] : profile.counts) newest = std::max(newest, count.as_of_s());
  for (const Interest& one : profile.interests) newest = std::max(newest, one.as_of_h * 3600);
  for (const Touch& one : profile.touches) newest = std::max(newest, one.time_s);
  for (const SeenMark& mark : profile.seen) newest = std::max(newest, mark.time_s);
  return newest;
}

bool length(Reader& in, std::size_t limit, std::size_t& out) {
  out = in.varint();
  return in.ok() && out <= limit;
}

// A time not after the base; 0 is no time.
bool read_age(Reader& in, std::uint32_t base, std::uint32_t& out) {
  const std::uint64_t age = in.varint();
  out = base - static_cast<std::uint32_t>(std::min<std::uint64_t>(age, base));
  return in.ok() && age < base;
}

bool decode_counts(Reader& in, std::uint32_t base, Profile& out) {
  std::size_t n = 0;
  if (!length(in, kVerbCount, n)) return false;
  for (; n > 0; --n) {
    const std::uint8_t verb = in.u8();
    DecayedCount count;
    if (verb >= kVerbCount || !DecayedCount::decode(in, base, count) || count.empty()) return false;
    if (!out.counts.empty() && out.counts.back().first >= static_cast<Verb>(verb)) return false;
    out.counts.emplace_back(static_cast<Verb>(verb), count);
  }
  return DecayedCount::decode(in, base, out.shown) && DecayedCount::decode(in, base, out.answered);
}

void encode_interests(const std::vector<Interest>& interests, std::uint32_t base, Writer& out) {
  out.varint(interests.size());
  for (const Interest& one : interests) {
    out.u32(one.topic);
    out.varint(whole_hours(base) - one.as_of_h);
    out.svarint(one.mean_q);
    out.varint(std::uint64_t{0xffff} - one.variance_q);
  }
}

bool decode_interests(Reader& in, std::uint32_t base, Profile& out) {
  std::size_t n = 0;
  if (!length(in, kInterestCount + 1, n)) return false;
  for (; n > 0; --n) {
    Interest one;
    one.topic = in.u32();
    const std::uint64_t age = in.varint();
    const std::int64_t mean = in.svarint();
    const std::uint64_t sure = in.varint();
    if (!in.ok() || age > whole_hours(base) || mean < -32767 || mean > 32767 || sure >= 0xffff) {
      return false;
    }
    one.as_of_h = whole_hours(base) - static_cast<std::uint32_t>(age);
    one.mean_q = static_cast<std::int16_t>(mean);
    one.variance_q = static_cast<std::uint16_t>(0xffff - sure);
    if (!out.interests.empty() && out.interests.back().topic >= one.topic) return false;
    out.interests.push_back(one);
  }
  return out.interests.size() <= kInterestCount || out.interests[0].topic == 0;
}

// (verb, count, (key, age)*)*, verb 0xff ends.
void encode_touches(const std::vector<Touch>& touches, std::uint32_t base, Writer& out) {
  for (std::size_t i = 0; i < touches.size();) {
    std::size_t end = i;
    while (end < touches.size() && touches[end].verb == touches[i].verb) ++end;
    out.u8(static_cast<std::uint8_t>(touches[i].verb));
    out.u8(static_cast<std::uint8_t>(end - i));
    for (; i < end; ++i) {
      out.u64(raw(touches[i].item));
      out.varint(base - touches[i].time_s);
    }
  }
  out.u8(0xff);
}

bool decode_touches(Reader& in, std::uint32_t base, Profile& out) {
  for (std::uint8_t verb = in.u8(); verb != 0xff; verb = in.u8()) {
    std::size_t n = in.u8();
    if (!in.ok() || verb >= kVerbCount || n == 0 || n > kSequenceLength) return false;
    if (!out.touches.empty() && out.touches.back().verb >= static_cast<Verb>(verb)) return false;
    for (; n > 0; --n) {
      Touch one;
      one.item = ItemKey{in.u64()};
      one.verb = static_cast<Verb>(verb);
      if (!read_age(in, base, one.time_s)) return false;
      out.touches.push_back(one);
    }
  }
  return in.ok();
}

// Newest first: (item, seconds before the last one, twice zigzag, and two bits, p when it waits)*.
void encode_seen(const std::vector<SeenMark>& seen, std::uint32_t base, Writer& out) {
  out.varint(seen.size());
  std::int64_t last = base;
  for (auto mark = seen.rbegin(); mark != seen.rend(); ++mark) {
    const std::int64_t step = last - std::int64_t{mark->time_s};
    const bool is_waiting = mark->waiting_p != 0;
    out.u32(mark->item);
    out.svarint(step * 4 + (is_waiting ? 2 : 0) + (mark->is_answered ? 1 : 0));
    if (is_waiting) out.varint(mark->waiting_p);
    last = mark->time_s;
  }
}

bool decode_seen(Reader& in, std::uint32_t base, Profile& out) {
  std::size_t n = 0;
  if (!length(in, kSeenLength, n)) return false;
  std::int64_t last = base;
  for (; n > 0; --n) {
    SeenMark mark;
    mark.item = in.u32();
    const std::int64_t coded = in.svarint();
    const std::int64_t step = coded >> 2;
    if (!in.ok() || step > last - 1 || last - step > base) return false;
    last -= step;
    mark.time_s = static_cast<std::uint32_t>(last);
    mark.is_answered = (coded & 1) != 0;
    if ((coded & 2) != 0) {
      const std::uint64_t p = in.varint();
      if (!in.ok() || p == 0 || p > 0xffff) return false;
      mark.waiting_p = static_cast<std::uint16_t>(p);
    }
    out.seen.push_back(mark);
  }
  std::reverse(out.seen.begin(), out.seen.end());
  return true;
}

bool decode_all(Reader& in, Profile& out) {
  if (in.u8() != kFormat) return false;
  out.position = in.varint();
  out.denied_purposes = in.u8();
  const std::uint64_t base = in.varint();
  if (!in.ok() || base > 0xffff'ffff) return false;
  const auto base_s = static_cast<std::uint32_t>(base);
  return out.traits.assign(in.str()) && decode_counts(in, base_s, out) &&
         decode_interests(in, base_s, out) && decode_touches(in, base_s, out) &&
         decode_seen(in, base_s, out) && in.ok() && in.done() && newest_s(out) == base_s;
}

}  // namespace

void Profile::clear() {
  position = 0;
  denied_purposes = 0;
  traits.assign({});
  counts.clear();
  shown = answered = DecayedCount();
  interests.clear();
  touches.clear();
  seen.clear();
}

void Profile::encode(std::string& out) const {
  const std::uint32_t base = newest_s(*this);
  Writer writer(out);
  writer.u8(kFormat);
  writer.varint(position);
  writer.u8(denied_purposes);
  writer.varint(base);
  writer.str(traits.bytes());
  writer.varint(counts.size());
  for (const auto& [verb, count] : counts) {
    writer.u8(static_cast<std::uint8_t>(verb));
    count.encode(out, base);
  }
  shown.encode(out, base);
  answered.encode(out, base);
  encode_interests(interests, base, writer);
  encode_touches(touches, base, writer);
  encode_seen(seen, base, writer);
}

Status Profile::decode(std::string_view bytes, Profile& out) {
  out.clear();
  Reader in(bytes);
  if (decode_all(in, out)) return ok_status();
  return Error{Code::kCorrupt, "profile bytes are damaged or of another version"};
}

}  // namespace attune
