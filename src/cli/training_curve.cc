#include "cli/training_curve.h"

#include <algorithm>

namespace attune {

void TrainingCurve::add(std::string_view stage, const FitProgress& progress) {
  if (!(progress.recent_loss > 0)) return;
  const std::string name(stage);
  Progress& at = progress_[name];
  if (progress.pass != at.pass || progress.rows < at.rows) at.before += at.rows;
  at.pass = progress.pass;
  at.rows = progress.rows;
  if (at.seen++ % at.every != 0) return;
  std::vector<Point>& points = stages_[name];
  points.push_back({at.before + at.rows, progress.recent_loss});
  if (points.size() < kMostPoints) return;
  for (std::size_t i = 0; i < kMostPoints / 2; ++i) points[i] = points[2 * i];
  points.resize(kMostPoints / 2);
  at.every *= 2;
}

std::vector<double> TrainingCurve::losses(std::string_view stage, std::size_t most) const {
  std::vector<double> out;
  const auto found = stages_.find(stage);
  if (found == stages_.end() || most == 0) return out;
  const std::vector<Point>& points = found->second;
  const std::size_t n = std::min(points.size(), most);
  for (std::size_t i = 0; i < n; ++i) {
    // The last point of its share, so that the newest is always there.
    out.push_back(points[(i + 1) * points.size() / n - 1].loss);
  }
  return out;
}

}  // namespace attune
