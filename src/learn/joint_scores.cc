#include "learn/joint_scores.h"

#include <algorithm>
#include <cmath>

namespace attune {
namespace {

constexpr std::size_t kBatch = 128;  // rows that the second loss compares

// A batch of (rows, tasks) numbers as a loss takes it.
class Turned {
 public:
  void add_to(JointLoss& loss, std::span<const float> predicted, std::span<const float> labels,
              std::size_t tasks) {
    const std::size_t rows = labels.size() / tasks;
    logits_.resize(labels.size());
    labels_.resize(labels.size());
    slopes_.resize(labels.size());
    weights_.assign(rows, 1.0F);
    for (std::size_t i = 0; i < labels.size(); ++i) {
      const std::size_t at = i % tasks * rows + i / tasks;
      logits_[at] = std::log(predicted[i] / (1 - predicted[i]));
      labels_[at] = labels[i];
    }
    loss.take({tasks, rows, logits_, labels_, weights_}, slopes_);
  }

 private:
  std::vector<float> logits_, labels_, weights_, slopes_;
};

void add_to(JointLoss& loss, std::span<const float> predicted, std::span<const float> labels,
            std::size_t tasks) {
  Turned turned;
  const std::size_t step = kBatch * tasks;
  for (std::size_t at = 0; at < labels.size(); at += step) {
    const std::size_t count = std::min(step, labels.size() - at);
    turned.add_to(loss, predicted.subspan(at, count), labels.subspan(at, count), tasks);
  }
}

}  // namespace

JointScores::JointScores(const ModelOptions& options, std::vector<double> known_rates)
    : options_(options),
      loss_(options),
      unknown_(options.tasks.size()),
      before_(options.tasks.size()),
      after_(options.tasks.size()),
      alone_(options.tasks.size()),
      known_rates_(std::move(known_rates)) {
  for (const double rate : known_rates_) scores_.emplace_back(BinaryScoresOptions{0.5, rate});
}

void JointScores::add(std::span<const float> predicted, std::span<const float> labels) {
  for (std::size_t i = 0; i < labels.size(); ++i) {
    const std::size_t task = i % tasks();
    if (std::isnan(labels[i])) {
      ++unknown_[task];
    } else {
      scores_[task].add(predicted[i], labels[i] > 0.5F);
    }
  }
  add_to(loss_, predicted, labels, tasks());
}

void JointScores::add_calibration(std::span<const float> raw, std::span<const float> predicted,
                                  std::span<const float> labels) {
  for (std::size_t i = 0; i < labels.size(); ++i) {
    if (std::isnan(labels[i])) continue;
    before_[i % tasks()].add(double{raw[i]}, labels[i] > 0.5F);
    after_[i % tasks()].add(double{predicted[i]}, labels[i] > 0.5F);
  }
}

void JointScores::add_alone(std::size_t task, std::span<const float> alone,
                            std::span<const float> predicted, std::span<const float> labels) {
  if (!alone_[task]) {
    alone_[task] = Alone{BinaryScores({0.5, known_rates_[task]}), {}};
  }
  for (std::size_t r = 0; r < alone.size(); ++r) {
    const float label = labels[r * tasks() + task];
    if (std::isnan(label)) continue;
    alone_[task]->scores.add(alone[r], label > 0.5F);
    alone_[task]->paired.add(double{predicted[r * tasks() + task]}, double{alone[r]}, label > 0.5F);
  }
}

JointReport JointScores::report(JointParts learned) {
  JointReport out{{}, std::move(learned), loss_.parts()};
  for (std::size_t t = 0; t < tasks(); ++t) {
    HeadReport head{options_.tasks[t].name,
                    options_.tasks[t].weight,
                    scores_[t].n(),
                    unknown_[t],
                    scores_[t].measures(),
                    before_[t],
                    after_[t]};
    if (alone_[t]) {
      const PairedLoss& paired = alone_[t]->paired;
      head.alone = AloneReport{alone_[t]->scores.measures(), paired.difference(), paired.interval(),
                               paired.verdict()};
    }
    out.heads.push_back(std::move(head));
  }
  return out;
}

Result<double> mean_joint_loss(const Model& model, BlockSource& rows) {
  JointLoss loss(model.options());
  Examples block;
  std::vector<float> predicted, labels;
  const std::size_t tasks = model.heads();
  TRY_OK(rows.begin(0));
  while (true) {
    TRY(const bool has_rows, rows.next(block));
    if (!has_rows) break;
    predicted.resize(block.size() * tasks);
    labels.clear();
    model.predict_heads(block, predicted);
    for (std::size_t r = 0; r < block.size(); ++r) {
      for (std::size_t t = 0; t < tasks; ++t) labels.push_back(block.label(r, t));
    }
    add_to(loss, predicted, labels, tasks);
  }
  return loss.parts().total();
}

}  // namespace attune
