// PowerLaw: numbers 0 .. size - 1, the small ones more often: P(k) falls like (k +
// offset)^-exponent. A draw is two reads of a table. Immutable: safe to share.
#pragma once
#include <cstdint>
#include <vector>

namespace attune {

struct PowerLawOptions {
  std::uint32_t size = 1;  // at least 1
  double exponent = 1.1;   // not 1
  double offset = 5;       // flattens the head
};

class PowerLaw {
 public:
  explicit PowerLaw(const PowerLawOptions& options);
  // bits: 64 random ones; the upper 36 are used. Within a 4096th of the mass the law is flat.
  std::uint32_t draw(std::uint64_t bits) const {
    const std::uint64_t cell = bits >> 52;
    const std::uint64_t part = bits >> 28 & 0xffffff;
    const std::uint64_t low = edges_[cell];
    return static_cast<std::uint32_t>((low + ((edges_[cell + 1] - low) * part >> 24)) >> 16);
  }

 private:
  std::vector<std::uint64_t> edges_;  // the quantiles, in 2^-16
};

}  // namespace attune
