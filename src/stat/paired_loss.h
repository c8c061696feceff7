// PairedLoss: two probabilities for the same rows: whose log loss is less, and whether that is more
// than chance. In constant memory. One thread.
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "stat/metrics.h"

namespace attune {

class PairedLoss {
 public:
  // A p that is no number in [0, 1] is ignored; probabilities are kept 1e-15 away from 0 and 1.
  void add(double p, double other, bool label);
  std::uint64_t n() const { return n_; }
  std::optional<double> log_loss() const;        // of the first; nullopt when empty
  std::optional<double> other_log_loss() const;  // of the other
  // The mean of (loss - other's loss): less than 0 = the first is better.
  std::optional<double> difference() const;
  // 95 %, normal, of that mean; nullopt when n < 2.
  std::optional<Interval> interval() const;
  enum class Verdict { kBetter, kWorse, kNoClearDifference };
  // By where the interval lies; no clear difference without one.
  Verdict verdict() const;
  void encode(std::string& out) const;  // canonical
  static Result<PairedLoss> decode(std::string_view bytes);

 private:
  std::uint64_t n_ = 0;
  double loss_ = 0, other_loss_ = 0, squared_difference_ = 0;
};

}  // namespace attune
