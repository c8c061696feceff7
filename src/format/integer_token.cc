#include "format/integer_token.h"

#include <fmt/format.h>

#include <array>
#include <bit>
#include <cmath>
#include <limits>

#include "base/result.h"

namespace attune {
namespace {

constexpr std::int64_t kExact = 8;
constexpr std::size_t kSteps = 167;  // 4 ln(2^63 / 8) = 166.4
constexpr std::size_t kFirstStep = 2 * kExact;
static_assert(kFirstStep + 2 * kSteps <= kIntegerTokens);
constexpr auto kLargest = std::numeric_limits<std::int64_t>::max();

struct Steps {
  std::array<std::int64_t, kSteps + 1> begins;  // the smallest x of each step
  std::array<std::uint8_t, 65> first_of_width;  // the step of 2^(bits - 1)
};

const Steps& steps() {
  static const Steps made_once = [] {
    Steps made{};
    for (std::size_t k = 0; k < kSteps; ++k) {
      made.begins[k] =
          static_cast<std::int64_t>(std::ceil(8 * std::exp(static_cast<double>(k) / 4)));
    }
    made.begins[kSteps] = kLargest;
    std::size_t step = 0;
    for (std::size_t bits = 4; bits < 64; ++bits) {
      while (step + 1 < kSteps && made.begins[step + 1] <= std::int64_t{1} << (bits - 1)) ++step;
      made.first_of_width[bits] = static_cast<std::uint8_t>(step);
    }
    return made;
  }();
  return made_once;
}

std::size_t step_of(std::int64_t x) {  // x >= kExact
  const Steps& all = steps();
  std::size_t step = all.first_of_width[std::bit_width(static_cast<std::uint64_t>(x))];
  while (step + 1 < kSteps && x >= all.begins[step + 1]) ++step;
  return step;
}

}  // namespace

std::size_t integer_token(std::int64_t x) {
  if (x > -kExact && x < kExact) return static_cast<std::size_t>(x + kExact);
  if (x > 0) return kFirstStep + step_of(x);
  return kFirstStep + kSteps + step_of(x < -kLargest ? kLargest : -x);
}

std::string integer_token_text(std::size_t token) {
  CHECK(token < kIntegerTokens);
  if (token == 0) return "";
  if (token < kFirstStep) return std::to_string(static_cast<std::int64_t>(token) - kExact);
  const std::size_t step = token - kFirstStep;
  return step < kSteps ? fmt::format("~{}", step) : fmt::format("-~{}", step - kSteps);
}

std::string integer_token_name(std::size_t token) {
  if (token < kFirstStep) return integer_token_text(token);
  const std::size_t step = (token - kFirstStep) % kSteps;
  const std::int64_t first = steps().begins[step], last = steps().begins[step + 1] - 1;
  return token < kFirstStep + kSteps ? fmt::format("{}..{}", first, last)
                                     : fmt::format("{}..{}", -last, -first);
}

}  // namespace attune
