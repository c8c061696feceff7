#include "stat/clustered_rate.h"

#include <algorithm>
#include <cmath>

namespace attune {
namespace {

constexpr double kZ = 1.96;
constexpr double kAlpha = 0.05;
constexpr double kPriorEvents = 30;  // of the mixture: an eighth of where it is narrowest

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

void ClusteredRate::add(const ClusteredRate& other) {
  clusters_ += other.clusters_;
  events_ += other.events_;
  trials_ += other.trials_;
  events_squared_ += other.events_squared_;
  trials_squared_ += other.trials_squared_;
  product_ += other.product_;
}

std::optional<double> ClusteredRate::rate() const {
  return trials_ > 0 ? std::optional(events_ / trials_) : std::nullopt;
}

std::optional<double> ClusteredRate::variance() const {
  if (clusters_ < 2) return std::nullopt;
  const double n = static_cast<double>(clusters_), squares = residual_squares(events_ / trials_);
  return squares * n / (n - 1) / (trials_ * trials_);
}

double ClusteredRate::residual_squares(double rate) const {
  return std::max(0.0, events_squared_ - 2 * rate * product_ + rate * rate * trials_squared_);
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

std::optional<Interval> always_valid_difference(const ClusteredRate& rate,
                                                const ClusteredRate& other) {
  if (std::min(rate.clusters(), other.clusters()) < kFewestClusters) return std::nullopt;
  ClusteredRate all = rate;
  all.add(other);
  const double r = *all.rate();
  const double one = all.residual_squares(r) / static_cast<double>(all.clusters() - 1);
  if (!(r > 0) || !(one > 0)) return std::nullopt;
  const auto squared_mean = [](const ClusteredRate& of) {  // 1 / clusters, of equal trials
    return static_cast<double>(of.clusters()) / (of.trials() * of.trials());
  };
  const double variance = one * (squared_mean(rate) + squared_mean(other));
  const double events = r * r / variance;
  const double half = std::sqrt(variance * (1 + kPriorEvents / events) *
                                std::log((events / kPriorEvents + 1) / (kAlpha * kAlpha)));
  const double middle = *rate.rate() - *other.rate();
  return Interval{middle - half, middle + half};
}

}  // namespace attune
