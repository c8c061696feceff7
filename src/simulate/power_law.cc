#include "simulate/power_law.h"

#include <algorithm>
#include <cmath>

#include "base/result.h"

namespace attune {

// Inverts the distribution function of the density (x + offset)^-exponent on [0, size).
PowerLaw::PowerLaw(const PowerLawOptions& options) {
  CHECK(options.size > 0 && options.exponent != 1 && options.offset > 0);
  constexpr std::size_t kCells = 4096;
  const double power = 1 - options.exponent;
  const double low = std::pow(options.offset, power);
  const double high = std::pow(options.offset + options.size, power);
  edges_.reserve(kCells + 1);
  for (std::size_t cell = 0; cell <= kCells; ++cell) {
    const double share = static_cast<double>(cell) / kCells;
    const double x = std::pow(low + share * (high - low), 1 / power) - options.offset;
    edges_.push_back(static_cast<std::uint64_t>(std::clamp(x, 0.0, double(options.size)) * 65536));
  }
  edges_.front() = 0;
  edges_.back() = std::uint64_t{options.size} << 16;
}

}  // namespace attune
