#include "cli/train_screen.h"

#include <fmt/format.h>

#include <algorithm>

#include "cli/plot.h"
#include "cli/words.h"

namespace attune {
namespace {

constexpr std::size_t kBar = 30;
constexpr std::size_t kCurve = 60, kCurveRows = 4;  // columns and lines of the curve

}  // namespace

std::string stage_line(std::string_view stage, const FitProgress& progress) {
  const bool is_known = progress.share >= 0;
  std::string line =
      fmt::format(" {} {}", bar(is_known ? std::min(progress.share, 1.0) : 0, 1, kBar), stage);
  if (progress.passes > 1) line += fmt::format(", pass {}", progress.pass + 1);
  if (progress.rows > 0) line += fmt::format(", {} rows", thousands(progress.rows));
  if (progress.recent_loss > 0) line += fmt::format(", loss {:.4f}", progress.recent_loss);
  return line;
}

std::vector<std::string> curve_lines(const std::vector<double>& losses) {
  if (losses.size() < 2) return {};
  const auto [low, high] = std::minmax_element(losses.begin(), losses.end());
  std::vector<std::string> lines = columns_plot(losses, *low, *high, kCurveRows);
  lines.front() = fmt::format(" {:>7.4f} {}", *high, lines.front());
  for (std::size_t i = 1; i + 1 < lines.size(); ++i) lines[i] = std::string(9, ' ') + lines[i];
  lines.back() = fmt::format(" {:>7.4f} {}", *low, lines.back());
  return lines;
}

void TrainScreen::show(std::string_view stage, const FitProgress& progress) {
  curve_.add(stage, progress);
  if (!screen_.is_due()) return;
  std::vector<std::string> lines = curve_lines(curve_.losses(stage, kCurve));
  lines.insert(lines.begin(), stage_line(stage, progress));
  screen_.draw(lines);
}

}  // namespace attune
