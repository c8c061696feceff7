// Adwin: tells when the mean of a stream has changed: a window that grows while nothing changes and
// drops its older part when that differs from the newer by more than chance (Bifet and Gavalda
// 2007, ADWIN2). In memory of the logarithm of the window. One thread.
#pragma once
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace attune {

struct AdwinOptions {
  double delta = 0.002;  // bound on the chance of a false alarm at any one time, in (0, 1)
  double range = 1;      // largest value less the least
};

// Values come one by one or in batches that belong together. The paper's bound holds for values
// that do not depend on each other; where batches differ by more than such values would, their own
// spread (around the mean of their side of the cut) takes its place.
class Adwin {
 public:
  struct Change {
    double before = 0, after = 0;            // means
    double rows_before = 0, rows_after = 0;  // before: dropped
  };
  explicit Adwin(const AdwinOptions& options = {}) : options_(options) {}
  // n values > 0 with this sum and sum of squares; nothing when they are not finite.
  std::optional<Change> add(double n, double sum, double squares);
  std::optional<Change> add(double value) { return add(1, value, value * value); }
  double n() const { return all_.n; }                                 // values in the window
  double mean() const { return all_.n > 0 ? all_.sum / all_.n : 0; }  // of the window

  void encode(std::string& out) const;  // canonical; without the options
  static Result<Adwin> decode(std::string_view bytes, const AdwinOptions& options);

 private:
  static constexpr std::size_t kPerLevel = 5;  // buckets of 2^level batches
  static constexpr double kLeastBatches = 10;  // in the window, to say anything
  struct Bucket {
    double batches = 0, n = 0, sum = 0, squares = 0;
    double between = 0;  // sum over batches of sum^2 / n
    void add(const Bucket& other);
    void subtract(const Bucket& other);
    double spread() const { return between - sum * sum / n; }  // of the batches' means, times n
  };
  void insert(const Bucket& batch);
  bool is_changed(const Bucket& older, const Bucket& newer) const;
  std::optional<Change> cut();

  AdwinOptions options_;
  std::vector<std::vector<Bucket>> levels_;  // oldest first in each; higher levels are older
  Bucket all_;
};

}  // namespace attune
