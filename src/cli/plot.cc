#include "cli/plot.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <string_view>

namespace attune {
namespace {

constexpr std::array<std::string_view, 9> kUp = {" ", "▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"};
constexpr std::array<std::string_view, 9> kAcross = {"", "▏", "▎", "▍", "▌", "▋", "▊", "▉", "█"};

// Share of `steps`, at least one step for anything above 0.
std::size_t steps_of(double value, double most, std::size_t steps) {
  if (!(value > 0) || !(most > 0)) return 0;
  const double exact = std::min(1.0, value / most) * static_cast<double>(steps);
  return std::max<std::size_t>(1, static_cast<std::size_t>(std::lround(exact)));
}

}  // namespace

std::string sparkline(std::span<const double> values, double most) {
  std::string out;
  for (const double value : values) {
    out += std::isnan(value) ? " " : kUp[std::max<std::size_t>(1, steps_of(value, most, 8))];
  }
  return out;
}

std::vector<std::string> columns_plot(std::span<const double> values, double low, double high,
                                      std::size_t rows) {
  std::vector<std::string> lines(rows);
  for (const double value : values) {
    const double share = high > low ? (value - low) / (high - low) : 1;
    const std::size_t steps =
        std::isnan(value) ? 0 : std::max<std::size_t>(1, steps_of(share, 1, 8 * rows));
    for (std::size_t line = 0; line < rows; ++line) {
      const std::size_t below = 8 * (rows - 1 - line);
      lines[line] += kUp[std::min<std::size_t>(8, steps > below ? steps - below : 0)];
    }
  }
  return lines;
}

std::string bar(double value, double most, std::size_t width) {
  const std::size_t eighths = steps_of(value, most, width * 8);
  std::string out;
  for (std::size_t i = 0; i < eighths / 8; ++i) out += kAcross[8];
  out += kAcross[eighths % 8];
  const std::size_t used = (eighths + 7) / 8;
  return out + std::string(width > used ? width - used : 0, ' ');
}

}  // namespace attune
