#include "stat/clustered_rate.h"

#include <algorithm>
#include <cmath>

namespace attune {
namespace {

constexpr double kZ = 1.96;

}  // namespace

void ClusteredRate::add(double events, double trials) {
  if (!(trials > 0)) return;
  ++clusters_;
  events_ += events;
  trials_ += trials;
  events_squared_ += events * events;
  trials_squared_ += trials * trials;
  product_ += events * trials;
}

std::optional<double> ClusteredRate::rate() const {
  return trials_ > 0 ? std::optional(events_ / trials_) : std::nullopt;
}

std::optional<double> ClusteredRate::variance() const {
  if (clusters_ < 2) return std::nullopt;
  const double n = static_cast<double>(clusters_), r = events_ / trials_;
  // Of events - r * trials, whose mean is 0.
  const double squares = events_squared_ - 2 * r * product_ + r * r * trials_squared_;
  return std::max(0.0, squares) * n / (n - 1) / (trials_ * trials_);
}

std::optional<Interval> ClusteredRate::interval() const {
  const auto v = variance();
  if (!v) return std::nullopt;
  const double half = kZ * std::sqrt(*v);
  return Interval{*rate() - half, *rate() + half};
}

std::optional<Interval> difference_interval(const ClusteredRate& rate, const ClusteredRate& other) {
  const auto a = rate.variance(), b = other.variance();
  if (!a || !b) return std::nullopt;
  const double middle = *rate.rate() - *other.rate(), half = kZ * std::sqrt(*a + *b);
  return Interval{middle - half, middle + half};
}

}  // namespace attune
