#include "profile/interest.h"

#include <algorithm>
#include <cmath>

namespace attune {

void Interest::set(float mean, float variance) {
  mean_q = static_cast<std::int16_t>(std::lround(std::clamp(mean * 4096, -32767.0F, 32767.0F)));
  const float share = variance * (65535 / kInterestVariance);
  variance_q = static_cast<std::uint16_t>(std::lround(std::clamp(share, 1.0F, 65535.0F)));
}

Interest Interest::at(std::uint32_t hour) const {
  if (hour <= as_of_h) return *this;
  const float left = std::exp2(-static_cast<float>(hour - as_of_h) / kInterestHalfLifeH);
  Interest now = *this;
  now.as_of_h = hour;
  now.set(mean() * left, kInterestVariance + (variance() - kInterestVariance) * left * left);
  return now;
}

void add_shown(Interest& interest, float weight, float p, float total) {
  const float information = p * (1 - p);
  const float gain = interest.variance() * weight / (1 + information * total);
  interest.set(interest.mean() - gain * p, interest.variance() * (1 - gain * weight * information));
}

void add_answer(Interest& interest, float weight) {
  interest.set(interest.mean() + interest.variance() * weight, interest.variance());
}

Interest merge(const Interest& a, const Interest& b) {
  const std::uint32_t hour = std::max(a.as_of_h, b.as_of_h);
  const Interest x = a.at(hour), y = b.at(hour);
  const float precision = 1 / x.variance() + 1 / y.variance() - 1 / kInterestVariance;
  Interest sum = x;
  sum.set((x.mean() / x.variance() + y.mean() / y.variance()) / precision, 1 / precision);
  return sum;
}

}  // namespace attune
