// LateAnswers: weights of rows when what is not engaged with for a while counts as a negative at
// once, although some engagements come later and are learned from as well. Every late engagement
// was a negative before; importance weights undo that, so that what is learned is the share of
// items engaged with, whenever (fake negatives: Ktena et al. 2019, "Addressing Delayed Feedback for
// Continuous Training with Neural Networks in CTR Prediction"; with a wait before: Yang et al.
// 2021, "Capturing Delayed Feedback in Conversion Rate Prediction via Elapsed-Time Sampling"). With
// p = P(engaged), d = P(engaged, but late): of all rows learned from, p are positives and 1 - p + d
// negatives of which 1 - p are true. Pure but for the share, which is one thread's.
#pragma once
#include <algorithm>

namespace attune {

class LateAnswers {
 public:
  // An engagement with an item of which a negative would have been learned, or was.
  void add(bool is_late) {
    late_ = kKept * late_ + (is_late ? 1 : 0);
    all_ = kKept * all_ + 1;
  }
  // Of the engagements, lately; a half before any is known.
  double share() const { return (late_ + kPrior / 2) / (all_ + kPrior); }
  // Of a row with this label, when p is what the model says of it.
  double weight(double p, bool label) const {
    const double d = share() * p;
    if (label) return 1 + d;
    return (1 - p) * (1 + d) / std::max(1e-6, 1 - p + d);
  }

  double late() const { return late_; }
  double all() const { return all_; }
  static LateAnswers of(double late, double all) {
    LateAnswers out;
    out.late_ = late;
    out.all_ = all;
    return out;
  }

 private:
  static constexpr double kKept = 0.999;  // of the weight of an engagement after each other
  static constexpr double kPrior = 10;    // engagements
  double late_ = 0, all_ = 0;
};

}  // namespace attune
