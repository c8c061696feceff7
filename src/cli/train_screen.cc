#include "cli/train_screen.h"

#include <fmt/format.h>

#include <algorithm>

#include "cli/plot.h"
#include "cli/words.h"

namespace attune {
namespace {

constexpr std::size_t kBar = 30;

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

void TrainScreen::show(std::string_view stage, const FitProgress& progress) {
  if (screen_.is_due()) screen_.draw({stage_line(stage, progress)});
}

}  // namespace attune
