#include "stat/paired_loss.h"

#include <algorithm>
#include <cmath>

#include "base/bytes.h"
#include "stat/measure.h"

namespace attune {
namespace {

double loss_of(double p, bool label) {
  return -std::log(std::clamp(label ? p : 1 - p, 1e-15, 1 - 1e-15));
}

bool is_probability(double p) { return p >= 0 && p <= 1; }

}  // namespace

void PairedLoss::add(double p, double other, bool label) {
  if (!is_probability(p) || !is_probability(other)) return;
  const double own = loss_of(p, label), others = loss_of(other, label);
  ++n_;
  loss_ += own;
  other_loss_ += others;
  squared_difference_ += (own - others) * (own - others);
}

std::optional<double> PairedLoss::log_loss() const {
  return n_ == 0 ? std::nullopt : std::optional(loss_ / static_cast<double>(n_));
}

std::optional<double> PairedLoss::other_log_loss() const {
  return n_ == 0 ? std::nullopt : std::optional(other_loss_ / static_cast<double>(n_));
}

std::optional<double> PairedLoss::difference() const {
  return n_ == 0 ? std::nullopt : std::optional((loss_ - other_loss_) / static_cast<double>(n_));
}

std::optional<Interval> PairedLoss::interval() const {
  return normal_interval(loss_ - other_loss_, squared_difference_, static_cast<double>(n_));
}

PairedLoss::Verdict PairedLoss::verdict() const {
  const auto range = interval();
  if (range && range->high < 0) return Verdict::kBetter;
  if (range && range->low > 0) return Verdict::kWorse;
  return Verdict::kNoClearDifference;
}

void PairedLoss::encode(std::string& out) const {
  Writer w(out);
  w.varint(n_);
  w.f64(loss_);
  w.f64(other_loss_);
  w.f64(squared_difference_);
}

Result<PairedLoss> PairedLoss::decode(std::string_view bytes) {
  Reader r(bytes);
  PairedLoss out;
  out.n_ = r.varint();
  out.loss_ = r.f64();
  out.other_loss_ = r.f64();
  out.squared_difference_ = r.f64();
  const bool is_finite = std::isfinite(out.loss_) && std::isfinite(out.other_loss_) &&
                         std::isfinite(out.squared_difference_);
  if (!r.ok() || !r.done() || !is_finite) {
    return Error{Code::kCorrupt, "the measures of two models make no sense"};
  }
  return out;
}

}  // namespace attune
