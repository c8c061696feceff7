#include "learn/journal_heads.h"

#include <fmt/format.h>

namespace attune {
namespace {

// (rows, tasks)
std::vector<float> labels_of(const Examples& block, std::size_t tasks) {
  std::vector<float> labels;
  for (std::size_t row = 0; row < block.size(); ++row) {
    for (std::size_t task = 0; task < tasks; ++task) labels.push_back(block.label(row, task));
  }
  return labels;
}

std::vector<float> raw_by(const Trained& trained, const Examples& block) {
  Examples copy = block;  // which becomes numbered inputs where the kind needs them
  std::vector<float> out;
  trained.predict_heads_raw(copy, out);
  return out;
}

std::vector<float> calibrated(const Trained& trained, std::vector<float> raw) {
  const std::size_t heads = trained.model->heads();
  for (std::size_t at = 0; at < raw.size(); ++at) raw[at] = trained.calibrated(raw[at], at % heads);
  return raw;
}

}  // namespace

void JournalHeads::count(const Examples& block) {
  rows_ += block.size();
  for (std::size_t row = 0; row < block.size(); ++row) {
    for (std::size_t task = 0; task < yes_.size(); ++task) {
      if (block.label(row, task) > 0.5F) ++yes_[task];
    }
  }
}

Status JournalHeads::check(const std::string& workspace) const {
  for (std::size_t task = 0; task < yes_.size(); ++task) {
    const std::string& name = tasks_[task].name;
    const char* const option = task == 0 ? "target" : "also";
    if (yes_[task] == 0) {
      return Error{Code::kInvalid,
                   fmt::format("{}: {} happened to none of {} shown items inside their windows",
                               workspace, name, rows_),
                   option,
                   fmt::format("leave it out, or send such events with properties.decision_id; a "
                               "placement's outcome_window_s says how late one may come")};
    }
    if (yes_[task] == rows_) {
      return Error{Code::kInvalid,
                   fmt::format("{}: {} happened to all of {} shown items", workspace, name, rows_),
                   option, "send impressions of what was shown, too"};
    }
  }
  return ok_status();
}

void JournalHeads::begin_test(const ModelOptions& options) {
  std::vector<double> rates;
  for (std::size_t task = 0; task < tasks_.size(); ++task) rates.push_back(rate(task));
  scores_.emplace(options, std::move(rates));
}

std::vector<float> JournalHeads::test(const Trained& trained, const Examples& block) {
  const std::vector<float> raw = raw_by(trained, block);
  const std::vector<float> predicted = calibrated(trained, raw);
  const std::vector<float> labels = labels_of(block, tasks_.size());
  scores_->add(predicted, labels);
  if (trained.calibration.kind() != CalibrationKind::kNone) {
    scores_->add_calibration(raw, predicted, labels);
  }
  std::vector<float> first;
  for (std::size_t at = 0; at < raw.size(); at += tasks_.size()) first.push_back(raw[at]);
  return first;
}

void JournalHeads::test_alone(std::size_t task, const Trained& trained, const Trained& alone,
                              const Examples& block) {
  scores_->add_alone(task, calibrated(alone, raw_by(alone, block)),
                     calibrated(trained, raw_by(trained, block)), labels_of(block, tasks_.size()));
}

std::optional<JointReport> JournalHeads::report(JointParts learned) {
  if (learned.tasks.empty()) return std::nullopt;
  return scores_->report(std::move(learned));
}

Result<bool> OneTask::next(Examples& out) {
  TRY(const bool has_rows, rows_.next(out));
  for (std::size_t row = 0; row < out.size(); ++row) out.labels[row] = out.label(row, task_);
  out.further_labels.clear();
  return has_rows;
}

}  // namespace attune
