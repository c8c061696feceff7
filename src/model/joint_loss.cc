#include "model/joint_loss.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "model/sigmoid.h"

namespace attune {

JointLoss::JointLoss(const ModelOptions& options) {
  for (const TaskOptions& task : options.tasks) {
    parts_.tasks.push_back({.name = task.name, .weight = task.weight});
  }
  if (parts_.tasks.empty()) parts_.tasks.resize(1);
  if (options.second_loss.weight == 0) return;
  auto second = make_second_loss(options.second_loss.name);
  if (!second.ok()) return;
  second_ = std::move(second).value();
  parts_.second = LossPart{.name = options.second_loss.name, .weight = options.second_loss.weight};
}

void JointLoss::take_head(const HeadBatch& batch, std::size_t head, std::span<float> slopes) {
  LossPart& part = parts_.tasks[head];
  const auto weight = static_cast<float>(part.weight);
  for (std::size_t r = 0; r < batch.rows; ++r) {
    const float label = batch.label(head, r), row = batch.weights[r];
    if (std::isnan(label) || row == 0) continue;
    const float logit = batch.logit(head, r);
    slopes[r] = (probability(logit) - label) * row * weight;
    const double z = double{logit};
    part.sum +=
        double{row} * (std::max(z, 0.0) - z * double{label} + std::log1p(std::exp(-std::fabs(z))));
    part.rows += double{row};
  }
}

void JointLoss::take(const HeadBatch& batch, std::span<float> slopes) {
  std::fill(slopes.begin(), slopes.end(), 0.0F);
  for (std::size_t head = 0; head < batch.heads; ++head) {
    take_head(batch, head, slopes.subspan(head * batch.rows, batch.rows));
  }
  if (!second_) return;
  const SecondLoss::Value value =
      second_->add(batch, static_cast<float>(parts_.second->weight), slopes);
  parts_.second->sum += value.sum;
  parts_.second->rows += value.rows;
}

void JointLoss::take_counts(JointLoss& of) {
  const auto take = [](LossPart& part, LossPart& from) {
    part.sum += std::exchange(from.sum, 0);
    part.rows += std::exchange(from.rows, 0);
  };
  for (std::size_t t = 0; t < parts_.tasks.size(); ++t) take(parts_.tasks[t], of.parts_.tasks[t]);
  if (parts_.second) take(*parts_.second, *of.parts_.second);
}

double JointParts::total() const {
  double total = second ? second->weight * second->mean() : 0;
  for (const LossPart& task : tasks) total += task.weight * task.mean();
  return total;
}

}  // namespace attune
