// ValueScores: predictions of a number beside what it was, and every measure of them. One thread.
#pragma once
#include <cstdint>
#include <vector>

#include "stat/measure.h"

namespace attune {

class ValueScores {
 public:
  // known_mean: of the rows learned from, what a guess without a model says; absent = of these.
  explicit ValueScores(std::optional<double> known_mean = {}) : known_mean_(known_mean) {}
  // A pair with a number that is not finite is counted and otherwise left out.
  void add(float predicted, float truth);
  std::uint64_t n() const { return pairs_.size(); }
  std::uint64_t unscored() const { return unscored_; }
  double mean_squared_error() const;
  // mean, rmse, mae, r2, in this order. The intervals are normal: of the mean squared error (then
  // its root), of the mean, and of a ratio of means (linearised).
  std::vector<Measure> measures() const;

 private:
  struct Pair {
    float predicted, truth;
  };
  std::vector<Pair> pairs_;
  std::uint64_t unscored_ = 0;
  std::optional<double> known_mean_;
};

}  // namespace attune
