#include "learn/evaluation.h"

#include <algorithm>
#include <cmath>

namespace attune {

void Evaluation::add_to(Scores& scores, float predicted, float label) const {
  if (options_.is_binary) {
    scores.binary.add(predicted, label > 0.5F);
    scores.reliability.add(static_cast<double>(predicted), label > 0.5F);
  } else {
    scores.values.add(predicted, label);
  }
}

void Evaluation::add(float predicted, float label, std::string_view group) {
  if (std::isnan(label)) {
    ++unlabelled_;
    return;
  }
  ++rows_;
  if (!options_.is_ranking) add_to(all_, predicted, label);
  if (group.empty()) return;
  has_groups_ = true;
  orders_.add(group, predicted, label);
  if (options_.is_ranking) return;
  if (options_.is_binary) groups_.add(group, predicted, label > 0.5F);
}

void Evaluation::add_to_slice(std::string_view slice, float predicted, float label) {
  if (std::isnan(label)) return;
  auto at = slices_.find(slice);
  if (at == slices_.end()) {
    const std::string name(slices_.size() < kMostSlices ? slice : "(other)");
    at = slices_.try_emplace(name, options_).first;
  }
  add_to(at->second, predicted, label);
}

std::vector<Measure> Evaluation::measures() {
  if (options_.is_ranking) return orders_.measures();
  std::vector<Measure> measures =
      options_.is_binary ? all_.binary.measures() : all_.values.measures();
  if (!has_groups_) return measures;
  if (options_.is_binary) {
    for (Measure& measure : groups_.measures(options_.k)) measures.push_back(std::move(measure));
  }
  for (Measure& measure : orders_.measures()) {
    if (find_measure(measures, measure.name) == nullptr) measures.push_back(std::move(measure));
  }
  return measures;
}

std::vector<SliceScores> Evaluation::slices() {
  std::vector<SliceScores> out;
  for (auto& [value, scores] : slices_) {
    out.push_back({value, scores.n(),
                   options_.is_binary ? scores.binary.measures() : scores.values.measures(),
                   scores.reliability});
  }
  std::stable_sort(out.begin(), out.end(),
                   [](const auto& a, const auto& b) { return a.rows > b.rows; });
  return out;
}

}  // namespace attune
