#include "event/event.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

#include "base/bytes.h"

namespace attune {
namespace {

constexpr std::uint8_t kVersion = 2;
constexpr std::uint8_t kOldestVersion = 1;
constexpr std::uint8_t kListVersion = 1;

constexpr std::array<std::string_view, kVerbCount> kVerbNames = {
    "other", "impression", "view", "click",  "like",     "comment", "share",  "follow", "search",
    "cart",  "purchase",   "hide", "report", "identify", "page",    "screen", "group",  "alias"};

// The calls of the Segment API, by code. Any other type is written as text.
constexpr std::array<std::string_view, 7> kTypes = {"",       "track", "identify", "page",
                                                    "screen", "group", "alias"};
constexpr std::uint8_t kTypeIsText = 0xff;

// Which optional fields follow, in this order.
enum Field : std::uint64_t {
  kName = 1,
  kMessageUuid = 2,
  kMessageText = 4,
  kItem = 8,
  kDecision = 16,
  kTimeInMs = 32,
  kValue = 64,
  kProperties = 128,
  kTraits = 256,
  kContext = 512,
  kOtherIdentity = 1024,
  kAllFieldsV1 = 2047,
  kItemInProperties = 2048,      // the text of properties names it; instead of kItem
  kDecisionInProperties = 4096,  // the same, instead of kDecision
  kValueIsDecimal = 8192,        // svarint digits, svarint exponent of ten; instead of kValue
  kAllFields = 16383,
};

bool is_dash(std::size_t i) { return i == 8 || i == 13 || i == 18 || i == 23; }

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

// Only the canonical lowercase form, so that unpacking gives the same text back.
bool is_canonical_uuid(std::string_view text) {
  if (text.size() != 36) return false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (is_dash(i) ? text[i] != '-' : hex_digit(text[i]) < 0) return false;
  }
  return true;
}

void pack_uuid(std::string_view text, Writer& out) {
  int high = -1;
  for (const char c : text) {
    if (c == '-') continue;
    if (high < 0) {
      high = hex_digit(c);
    } else {
      out.u8(static_cast<std::uint8_t>(high * 16 + hex_digit(c)));
      high = -1;
    }
  }
}

std::string unpack_uuid(Reader& in) {
  constexpr std::string_view kHex = "0123456789abcdef";
  std::string text;
  text.reserve(36);
  for (int i = 0; i < 16; ++i) {
    if (is_dash(text.size())) text += '-';
    const std::uint8_t b = in.u8();
    text += kHex[b >> 4];
    text += kHex[b & 15];
  }
  return text;
}

std::int64_t whole_ms(Time time) {
  return std::chrono::floor<std::chrono::milliseconds>(time).time_since_epoch().count();
}

// Differences wrap, so that no pair of times overflows and every one survives the trip.
std::int64_t wrapped_difference(std::int64_t a, std::int64_t b) {
  return static_cast<std::int64_t>(static_cast<std::uint64_t>(a) - static_cast<std::uint64_t>(b));
}
std::int64_t wrapped_sum(std::int64_t a, std::int64_t b) {
  return static_cast<std::int64_t>(static_cast<std::uint64_t>(a) + static_cast<std::uint64_t>(b));
}

bool is_whole_ms(Time time) { return to_us(time) % 1000 == 0; }

// The string after the first `key` in JSON text; empty when there is none or it has an escape.
std::string_view string_after(std::string_view json, std::string_view key) {
  const std::size_t at = json.find(key);
  if (at == std::string_view::npos) return {};
  const std::string_view rest = json.substr(at + key.size());
  const std::size_t end = rest.find_first_of("\"\\");
  return end == std::string_view::npos || rest[end] != '"' ? std::string_view{}
                                                           : rest.substr(0, end);
}

std::string_view item_in(std::string_view properties) {
  const std::string_view item = string_after(properties, R"("item_id":")");
  return item.empty() ? string_after(properties, R"("product_id":")") : item;
}
std::string_view decision_in(std::string_view properties) {
  return string_after(properties, R"("decision_id":")");
}

struct Decimal {
  std::int64_t digits = 0;
  std::int64_t exponent = 0;  // -4 .. 0
};
constexpr std::array<double, 5> kPowers = {1, 10, 100, 1000, 10000};
constexpr double kMaxDigits = 1e9;

// Division of two exact doubles rounds as the decimal text does: 2490 / 100 is 24.9.
double double_of(const Decimal& decimal) {
  return static_cast<double>(decimal.digits) / kPowers[static_cast<std::size_t>(-decimal.exponent)];
}

// Amounts of money mostly; nullopt when it takes more than nine digits or four places.
std::optional<Decimal> decimal_of(double value) {
  for (std::size_t places = 0; places < kPowers.size(); ++places) {
    const double scaled = std::round(value * kPowers[places]);
    if (!(std::abs(scaled) <= kMaxDigits)) return std::nullopt;
    const Decimal decimal{static_cast<std::int64_t>(scaled), -static_cast<std::int64_t>(places)};
    if (double_of(decimal) == value) return decimal;
  }
  return std::nullopt;
}

// False when it is none that decimal_of() makes.
bool read_decimal(Reader& in, double& value) {
  const Decimal decimal{in.svarint(), in.svarint()};
  if (decimal.exponent > 0 || decimal.exponent <= -static_cast<std::int64_t>(kPowers.size())) {
    return false;
  }
  value = double_of(decimal);
  return true;
}

std::uint64_t fields_of(const Event& event, Surrogate other) {
  std::uint64_t mask = 0;
  const auto mark = [&](bool is_there, Field field) {
    if (is_there) mask |= field;
  };
  const bool is_uuid = is_canonical_uuid(event.message_id);
  mark(!event.name.empty(), kName);
  mark(is_uuid, kMessageUuid);
  mark(!is_uuid && !event.message_id.empty(), kMessageText);
  const bool is_item_told = event.item_id == item_in(event.properties);
  const bool is_decision_told = event.decision_id == decision_in(event.properties);
  mark(!event.item_id.empty(), is_item_told ? kItemInProperties : kItem);
  mark(!event.decision_id.empty(), is_decision_told ? kDecisionInProperties : kDecision);
  mark(is_whole_ms(event.time), kTimeInMs);
  mark(event.value < 0 || event.value > 0 || event.value != event.value,
       decimal_of(event.value) ? kValueIsDecimal : kValue);
  mark(!event.properties.empty(), kProperties);
  mark(!event.traits.empty(), kTraits);
  mark(!event.context.empty(), kContext);
  mark(other != Surrogate{}, kOtherIdentity);
  return mask;
}

void write_type(std::string_view type, Writer& out) {
  const auto* const known = std::find(kTypes.begin(), kTypes.end(), type);
  if (known != kTypes.end()) return out.u8(static_cast<std::uint8_t>(known - kTypes.begin()));
  out.u8(kTypeIsText);
  out.str(type);
}

// False when the code is none of ours.
bool read_type(Reader& in, std::string& type) {
  const std::uint8_t code = in.u8();
  if (code != kTypeIsText && code >= kTypes.size()) return false;
  type = code == kTypeIsText ? in.str() : kTypes[code];
  return true;
}

// False when the time is out of range.
bool read_time(Reader& in, bool is_ms, Time received, Time& time) {
  const std::int64_t delta = in.svarint();
  if (!is_ms) {
    time = time_from_us(wrapped_sum(to_us(received), delta));
    return true;
  }
  constexpr std::int64_t kMaxMs = std::numeric_limits<std::int64_t>::max() / 1000;
  const std::int64_t ms = wrapped_sum(whole_ms(received), delta);
  if (ms > kMaxMs || ms < -kMaxMs) return false;
  time = time_from_us(ms * 1000);
  return true;
}

Error corrupt(std::string_view what) {
  return {Code::kCorrupt, "stored event: " + std::string(what)};
}

}  // namespace

std::string_view verb_name(Verb verb) {
  const auto i = static_cast<std::size_t>(verb);
  return i < kVerbCount ? kVerbNames[i] : kVerbNames[0];
}

std::optional<Verb> verb_from_name(std::string_view name) {
  const auto* const found = std::find(kVerbNames.begin(), kVerbNames.end(), name);
  if (found == kVerbNames.end()) return std::nullopt;
  return static_cast<Verb>(found - kVerbNames.begin());
}

void encode_event(const Event& event, Surrogate other, Time received, std::string& out) {
  Writer w(out);
  const std::uint64_t mask = fields_of(event, other);
  w.u8(kVersion);
  w.u8(static_cast<std::uint8_t>(event.verb));
  write_type(event.type, w);
  w.varint(mask);
  w.svarint((mask & kTimeInMs) != 0 ? wrapped_difference(whole_ms(event.time), whole_ms(received))
                                    : wrapped_difference(to_us(event.time), to_us(received)));
  if ((mask & kName) != 0) w.str(event.name);
  if ((mask & kMessageUuid) != 0) pack_uuid(event.message_id, w);
  if ((mask & kMessageText) != 0) w.str(event.message_id);
  if ((mask & kItem) != 0) w.str(event.item_id);
  if ((mask & kDecision) != 0) w.str(event.decision_id);
  if ((mask & kValue) != 0) w.f64(event.value);
  if ((mask & kValueIsDecimal) != 0) {
    const Decimal decimal = *decimal_of(event.value);
    w.svarint(decimal.digits);
    w.svarint(decimal.exponent);
  }
  if ((mask & kProperties) != 0) w.str(event.properties);
  if ((mask & kTraits) != 0) w.str(event.traits);
  if ((mask & kContext) != 0) w.str(event.context);
  if ((mask & kOtherIdentity) != 0) w.u64(raw(other));
}

Status decode_event(std::string_view bytes, Time received, StoredEvent& out) {
  Reader r(bytes);
  Event& event = out.event;
  const std::uint8_t version = r.u8();
  if (version < kOldestVersion || version > kVersion) return corrupt("unknown version");
  const std::uint8_t verb = r.u8();
  if (verb >= kVerbCount) return corrupt("unknown verb");
  event.verb = static_cast<Verb>(verb);
  if (!read_type(r, event.type)) return corrupt("unknown type");
  const std::uint64_t mask = r.varint();
  if (mask > (version == 1 ? kAllFieldsV1 : kAllFields)) return corrupt("unknown field");
  if (!read_time(r, (mask & kTimeInMs) != 0, received, event.time)) {
    return corrupt("time out of range");
  }
  const auto text = [&](Field field, std::string& to) {
    to.assign((mask & field) != 0 ? r.str() : std::string_view());
  };
  text(kName, event.name);
  event.message_id.clear();
  if ((mask & kMessageUuid) != 0) event.message_id = unpack_uuid(r);
  if ((mask & kMessageText) != 0) event.message_id = r.str();
  text(kItem, event.item_id);
  text(kDecision, event.decision_id);
  event.value = (mask & kValue) != 0 ? r.f64() : 0;
  if ((mask & kValueIsDecimal) != 0 && !read_decimal(r, event.value)) return corrupt("bad value");
  text(kProperties, event.properties);
  text(kTraits, event.traits);
  text(kContext, event.context);
  out.other = Surrogate{(mask & kOtherIdentity) != 0 ? r.u64() : 0};
  if ((mask & kItemInProperties) != 0) event.item_id = item_in(event.properties);
  if ((mask & kDecisionInProperties) != 0) event.decision_id = decision_in(event.properties);
  if (!r.ok()) return corrupt("cut short");
  if (!r.done()) return corrupt("bytes left over");
  return ok_status();
}

Result<StoredEvent> decode_event(std::string_view bytes, Time received) {
  StoredEvent stored;
  TRY_OK(decode_event(bytes, received, stored));
  return stored;
}

void begin_event_list(std::string& out) { Writer(out).u8(kListVersion); }

EventListReader::EventListReader(std::string_view payload, Time received)
    : left_(payload), received_(received) {
  is_list_ = !payload.empty() && static_cast<std::uint8_t>(payload[0]) == kListVersion;
  if (is_list_) left_.remove_prefix(1);
}

Result<bool> EventListReader::next(StoredEvent& out) {
  if (!is_list_) return corrupt("unknown version of a list");
  if (left_.empty()) return false;
  Reader r(left_);
  const std::string_view bytes = r.str();
  if (!r.ok()) return corrupt("list cut short");
  left_.remove_prefix(left_.size() - r.left());
  TRY_OK(decode_event(bytes, received_, out));
  return true;
}

}  // namespace attune
