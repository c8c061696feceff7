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
  std::optional<double> rate() const;        // nullopt without trials
  std::optional<double> variance() const;    // of rate(); nullopt of fewer than 2 clusters
  std::optional<Interval> interval() const;  // 95 %

 private:
  std::uint64_t clusters_ = 0;
  double events_ = 0, trials_ = 0;
  double events_squared_ = 0, trials_squared_ = 0, product_ = 0;
};

// rate - other's rate, 95 %; nullopt where either has no variance.
std::optional<Interval> difference_interval(const ClusteredRate& rate, const ClusteredRate& other);

}  // namespace attune
