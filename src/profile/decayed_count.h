// DecayedCount: counts that fade with half-lives of 1 h, 24 h, 7 d and 30 d. Time is passed in and
// counted in whole seconds, so that what is stored is what is held. Pure; one thread.
#pragma once
#include <algorithm>
#include <array>
#include <cstdint>
#include <string>

#include "base/time.h"

namespace attune {

class Reader;

// Whole seconds since 1970, kept within [0, 2^32).
constexpr std::uint32_t whole_seconds(Time time) {
  return static_cast<std::uint32_t>(
      std::clamp<std::int64_t>(to_us(time) / 1'000'000, 0, 0xffff'ffffLL));
}
constexpr Time time_from_seconds(std::uint32_t s) {
  return time_from_us(std::int64_t{s} * 1'000'000);
}

inline constexpr std::size_t k1h = 0, k24h = 1, k7d = 2, k30d = 3;  // places in DecayedCount::at()

class DecayedCount {
 public:
  // A late event adds what would be left of it.
  void add(Time when, float amount = 1);
  // Never grows: before the last event it is as of that event.
  std::array<float, 4> at(Time now) const;
  float at(Time now, std::size_t half_life) const;  // one of them: k1h ... k30d
  std::uint32_t as_of_s() const { return as_of_s_; }
  bool empty() const { return as_of_s_ == 0; }
  // Adds the other's events as if they had been added here.
  void merge(const DecayedCount& other);
  // Canonical, 1 to 22 bytes; a single event takes one byte and its age. base_s: a time not before
  // as_of_s(), the same for encoding and decoding.
  void encode(std::string& out, std::uint32_t base_s) const;
  // False when the bytes are not what encode() gives.
  static bool decode(Reader& in, std::uint32_t base_s, DecayedCount& out);

 private:
  std::array<float, 4> left_{};
  std::uint32_t as_of_s_ = 0;  // 0 = nothing was added
};

}  // namespace attune
