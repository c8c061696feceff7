#include "profile/decayed_count.h"

#include <cmath>

#include "base/bytes.h"

namespace attune {
namespace {

constexpr std::array<float, 4> kHalfLivesS = {3600, 86400, 7 * 86400, 30 * 86400};

// What is left of 1 after so many seconds.
float left_after(std::uint32_t s, std::size_t i) {
  return s == 0 ? 1.0F : std::exp2(-static_cast<float>(s) / kHalfLivesS[i]);
}

// How one of the four numbers is stored: two bits each, in the first byte.
enum Code : unsigned { kZero = 0, kSame = 1, kRaw = 2 };

unsigned code_of(float left, float previous) {
  return left == 0 ? kZero : left == previous ? kSame : kRaw;
}

}  // namespace

void DecayedCount::add(Time when, float amount) {
  const std::uint32_t when_s = std::max(whole_seconds(when), 1U);
  if (when_s >= as_of_s_) {
    for (std::size_t i = 0; i < left_.size() && as_of_s_ != 0; ++i) {
      left_[i] *= left_after(when_s - as_of_s_, i);
    }
    for (float& left : left_) left += amount;
    as_of_s_ = when_s;
  } else {
    for (std::size_t i = 0; i < left_.size(); ++i) {
      left_[i] += amount * left_after(as_of_s_ - when_s, i);
    }
  }
}

float DecayedCount::at(Time now, std::size_t half_life) const {
  const std::uint32_t now_s = whole_seconds(now);
  return left_[half_life] * left_after(now_s > as_of_s_ ? now_s - as_of_s_ : 0, half_life);
}

std::array<float, 4> DecayedCount::at(Time now) const {
  std::array<float, 4> out{};
  for (std::size_t i = 0; i < out.size(); ++i) out[i] = at(now, i);
  return out;
}

void DecayedCount::merge(const DecayedCount& other) {
  const std::uint32_t later = std::max(as_of_s_, other.as_of_s_);
  const auto mine = at(time_from_seconds(later));
  const auto theirs = other.at(time_from_seconds(later));
  for (std::size_t i = 0; i < left_.size(); ++i) left_[i] = mine[i] + theirs[i];
  as_of_s_ = later;
}

void DecayedCount::encode(std::string& out, std::uint32_t base_s) const {
  Writer writer(out);
  unsigned codes = 0;
  float previous = 1;
  for (std::size_t i = 0; i < left_.size(); ++i) {
    codes |= code_of(left_[i], previous) << (2 * i);
    previous = left_[i];
  }
  if (empty()) codes = 0xff;
  writer.u8(static_cast<std::uint8_t>(codes));
  if (empty()) return;
  writer.varint(base_s - as_of_s_);
  for (std::size_t i = 0; i < left_.size(); ++i) {
    if (((codes >> (2 * i)) & 3U) == kRaw) writer.f32(left_[i]);
  }
}

bool DecayedCount::decode(Reader& in, std::uint32_t base_s, DecayedCount& out) {
  out = DecayedCount();
  const unsigned codes = in.u8();
  if (codes == 0xff) return in.ok();
  const std::uint64_t age = in.varint();
  if (!in.ok() || age >= base_s) return false;
  out.as_of_s_ = base_s - static_cast<std::uint32_t>(age);
  float previous = 1;
  for (std::size_t i = 0; i < out.left_.size(); ++i) {
    const unsigned code = (codes >> (2 * i)) & 3U;
    float& left = out.left_[i];
    left = code == kZero ? 0 : code == kSame ? previous : in.f32();
    if (!std::isfinite(left) || std::signbit(left) || code != code_of(left, previous)) return false;
    previous = left;
  }
  return in.ok();
}

}  // namespace attune
