#include "learn/row_losses.h"

#include <algorithm>
#include <cmath>

#include "learn/fit.h"

namespace attune {
namespace {

// Of a task, by row; NaN where its label is not known.
struct TaskLosses {
  std::vector<float> losses;
  double weights = 0;  // of the rows whose label is known
  void add(double loss, float weight) {
    losses.push_back(static_cast<float>(loss * double{weight}));
    if (!std::isnan(loss)) weights += double{weight};
  }
};

std::vector<float> joint(const std::vector<TaskLosses>& tasks, const std::vector<TaskOptions>& as) {
  const std::size_t rows = tasks.front().losses.size();
  std::vector<double> sums(rows, 0);
  for (std::size_t t = 0; t < tasks.size(); ++t) {
    const double weight = as.empty() ? 1 : as[t].weight;
    const double mean_weight =
        tasks[t].weights / static_cast<double>(std::max<std::size_t>(rows, 1));
    for (std::size_t row = 0; row < rows; ++row) {
      const double loss = double{tasks[t].losses[row]};
      if (!std::isnan(loss) || tasks.size() == 1) sums[row] += weight * loss / mean_weight;
    }
  }
  std::vector<float> out;
  for (const double sum : sums) out.push_back(static_cast<float>(sum));
  return out;
}

}  // namespace

Result<std::vector<float>> row_losses(const Model& model, BlockSource& rows) {
  const std::size_t heads = model.heads();
  std::vector<TaskLosses> tasks(heads);
  std::vector<float> predicted;
  Examples block;
  TRY_OK(rows.begin(0));
  while (true) {
    TRY(const bool has_rows, rows.next(block));
    if (!has_rows) break;
    predicted.resize(block.size() * heads);
    model.predict_heads(block, predicted);
    for (std::size_t i = 0; i < predicted.size(); ++i) {
      const std::size_t row = i / heads, task = i % heads;
      const float label = block.label(row, task);
      const double loss =
          std::isnan(label) && heads > 1 ? double{NAN} : loss_of(model, predicted[i], label);
      tasks[task].add(loss, block.weight(row));
    }
  }
  return joint(tasks, model.options().tasks);
}

double mean_of(std::span<const float> losses) {
  double sum = 0;
  for (const float loss : losses) sum += double{loss};
  return sum / static_cast<double>(std::max<std::size_t>(losses.size(), 1));
}

std::optional<Interval> interval_of(std::span<const float> losses) {
  const auto n = static_cast<double>(losses.size());
  if (n < 2) return std::nullopt;
  const double mean = mean_of(losses);
  double squares = 0;
  for (const float loss : losses) squares += double{loss} * double{loss};
  const double deviation = std::sqrt(std::max(0.0, squares / n - mean * mean) / (n - 1));
  return Interval{mean - 1.96 * deviation, mean + 1.96 * deviation};
}

}  // namespace attune
