// ClusteredRate: a rate of events over trials that come in clusters (clicks over shown items, by
// person), with the interval that the clusters allow: trials of one person are alike, so counting
// them as independent would promise too much. Delta method (Deng et al. 2018, "Applying the Delta
// Method in Metric Analytics"). In constant memory. One thread.
#pragma once
#include <cstdint>
#include <optional>

#include "stat/metrics.h"

namespace attune {

class ClusteredRate {
 public:
  void add(double events, double trials);  // of one cluster; without trials it is left out
  std::uint64_t clusters() const { return clusters_; }
  double events() const { return events_; }
  double trials() const { return trials_; }
  void add(const ClusteredRate& other);      // clusters of its own
  std::optional<double> rate() const;        // nullopt without trials
  std::optional<double> variance() const;    // of rate(); nullopt of fewer than 2 clusters
  std::optional<Interval> interval() const;  // 95 %
  // Of events - rate * trials, over the clusters.
  double residual_squares(double rate) const;

 private:
  std::uint64_t clusters_ = 0;
  double events_ = 0, trials_ = 0;
  double events_squared_ = 0, trials_squared_ = 0, product_ = 0;
};

// rate - other's rate, 95 %; nullopt where either has no variance.
std::optional<Interval> difference_interval(const ClusteredRate& rate, const ClusteredRate& other);

// The same, and it may be looked at after every cluster and every trial: where both rates are one,
// 95 of 100 such sequences never leave 0 out. Wider for it. A normal mixture bound (Robbins 1970;
// Howard et al. 2021, "Time-uniform, nonparametric, nonasymptotic confidence sequences", in its
// asymptotic form: Waudby-Smith et al. 2021), whose time is information, counted in events, and
// which is narrowest at about 240. The variance is that of all clusters together, as it is where
// the rates are one: of few clusters without any event their own would promise too much. nullopt of
// fewer than kFewestClusters in either, or without an event.
std::optional<Interval> always_valid_difference(const ClusteredRate& rate,
                                                const ClusteredRate& other);
inline constexpr std::uint64_t kFewestClusters = 30;

}  // namespace attune
