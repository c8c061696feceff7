// BinaryScores: predictions of a yes or no beside what happened, four bytes a row, and every
// measure of them. One thread.
#pragma once
#include <cstdint>
#include <vector>

#include "stat/measure.h"

namespace attune {

struct BinaryScoresOptions {
  double threshold = 0.5;  // a prediction from here on says yes
  // Of the rows learned from: what a guess without a model would say. Absent: that of these rows.
  std::optional<double> known_rate = {};
};

class BinaryScores {
 public:
  explicit BinaryScores(const BinaryScoresOptions& options = {}) : options_(options) {}
  // p: P(label = 1). One that is no number in [0, 1] is counted and otherwise left out.
  void add(float p, bool label);
  std::uint64_t n() const { return keys_.size(); }
  std::uint64_t positives() const { return true_positives_ + false_negatives_; }
  std::uint64_t unscored() const { return unscored_; }
  double mean_log_loss() const { return n() == 0 ? 0 : loss_ / static_cast<double>(n()); }
  // base_rate, auc, log_loss, accuracy, precision, recall, f1, calibration, in this order. Sorts
  // the rows. O(n log n).
  std::vector<Measure> measures();

 private:
  Measure base_rate() const;
  Measure auc();
  Measure log_loss() const;
  Measure accuracy() const;
  Measure precision() const;
  Measure recall() const;
  Measure f1() const;
  Measure calibration() const;
  double rate() const;        // of these rows
  double known_rate() const;  // of the guess
  std::string one_class() const;

  BinaryScoresOptions options_;
  std::vector<std::uint32_t> keys_;  // bits of p, then the label: sorted as p is
  std::uint64_t true_positives_ = 0, false_positives_ = 0;
  std::uint64_t true_negatives_ = 0, false_negatives_ = 0, unscored_ = 0;
  double loss_ = 0, squared_loss_ = 0, sum_p_ = 0, squared_error_ = 0;
};

}  // namespace attune
