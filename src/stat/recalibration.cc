#include "stat/recalibration.h"

#include <algorithm>
#include <cmath>

#include "stat/calibration.h"

namespace attune {
namespace {

constexpr double kMostStep = 0.5;            // of slope or offset, a row
constexpr double kMostOffset = 20;           // of the logit
constexpr double kLeast = 0.05, kMost = 20;  // of the slope
constexpr double kPriorSpread = 0.1;         // p (1 - p) of a row of the prior

bool is_probability(double p) { return p >= 0 && p <= 1; }

}  // namespace

double Recalibration::apply(double p) const {
  if (!is_probability(p)) return p;
  return sigmoid_of(slope_ * logit_of(p) + offset_);
}

void Recalibration::learn(double p, bool label) {
  if (!is_probability(p)) return;
  const double z = logit_of(p), q = sigmoid_of(slope_ * z + offset_), spread = q * (1 - q);
  const double kept = 1 - 1 / options_.memory_rows;
  aa_ = kept * aa_ + spread * z * z;
  ab_ = kept * ab_ + spread * z;
  bb_ = kept * bb_ + spread;
  ++rows_;
  const double prior = kPriorSpread * options_.prior_rows;
  const double aa = aa_ + prior, bb = bb_ + prior, det = aa * bb - ab_ * ab_;
  const double error = q - (label ? 1 : 0);
  const double step_a = (bb * error * z - ab_ * error) / det;
  const double step_b = (aa * error - ab_ * error * z) / det;
  slope_ = std::clamp(slope_ - std::clamp(step_a, -kMostStep, kMostStep), kLeast, kMost);
  offset_ =
      std::clamp(offset_ - std::clamp(step_b, -kMostStep, kMostStep), -kMostOffset, kMostOffset);
}

const Recalibration* SliceRecalibration::find(std::string_view slice) const {
  const auto at = slices_.find(slice);
  return at == slices_.end() ? nullptr : &at->second;
}

double SliceRecalibration::apply(std::string_view slice, double p) const {
  const Recalibration* const own = find(slice);
  return own != nullptr && own->rows() >= kOwnRows ? own->apply(p) : all_.apply(p);
}

void SliceRecalibration::learn(std::string_view slice, double p, bool label) {
  all_.learn(p, label);
  auto at = slices_.find(slice);
  if (at == slices_.end()) {
    if (slices_.size() >= kMostSlices) return;
    at = slices_.try_emplace(std::string(slice), options_).first;
  }
  at->second.learn(p, label);
}

}  // namespace attune
