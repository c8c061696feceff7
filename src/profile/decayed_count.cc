#include <algorithm>
#include <cmath>

#include "base/bytes.h"
#include "profile/profile.h"

namespace attune {
namespace {

constexpr std::array<double, 4> kHalfLivesUs = {3600e6, 86400e6, 7 * 86400e6, 30 * 86400e6};

// What is left of 1 after the time from `from` to `to`, from <= to.
float left_after(Time from, Time to, std::size_t i) {
  const double us = static_cast<double>(to_us(to)) - static_cast<double>(to_us(from));
  return us <= 0 ? 1.0F : static_cast<float>(std::exp2(-us / kHalfLivesUs[i]));
}

}  // namespace

void DecayedCount::add(Time when, float amount) {
  const Time later = std::max(when, as_of_);
  for (std::size_t i = 0; i < left_.size(); ++i) {
    left_[i] = left_[i] * left_after(as_of_, later, i) + amount * left_after(when, later, i);
  }
  as_of_ = later;
}

std::array<float, 4> DecayedCount::at(Time now) const {
  std::array<float, 4> out{};
  for (std::size_t i = 0; i < out.size(); ++i) out[i] = left_[i] * left_after(as_of_, now, i);
  return out;
}

void DecayedCount::merge(const DecayedCount& other) {
  const Time later = std::max(as_of_, other.as_of_);
  const auto mine = at(later);
  const auto theirs = other.at(later);
  for (std::size_t i = 0; i < left_.size(); ++i) left_[i] = mine[i] + theirs[i];
  as_of_ = later;
}

void DecayedCount::encode(std::string& out) const {
  Writer writer(out);
  writer.svarint(to_us(as_of_));
  for (const float left : left_) writer.f32(left);
}

DecayedCount DecayedCount::decode(Reader& in) {
  DecayedCount count;
  count.as_of_ = time_from_us(in.svarint());
  for (float& left : count.left_) {
    left = in.f32();
    if (!std::isfinite(left)) left = 0;
  }
  return count;
}

}  // namespace attune
