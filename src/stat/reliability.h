// Reliability: predictions beside what happened: bins of about equally many rows with the observed
// rate and its interval, the expected calibration error, and predicted over observed. In constant
// memory: rows are counted in cells of 1/16 in logit. One thread.
#pragma once
#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "stat/metrics.h"

namespace attune {

class JsonWriter;

struct ReliabilityBin {
  double low = 0, high = 1;  // probabilities said, about
  std::uint64_t rows = 0;
  double predicted = 0;    // mean
  double observed = 0;     // share of the rows whose label is 1
  Interval interval = {};  // Wilson, 95 %, of the observed
};

class Reliability {
 public:
  static constexpr std::size_t kBins = 10;
  void add(double p, bool label);  // what is no number in [0, 1] is ignored
  std::uint64_t rows() const { return rows_; }
  std::uint64_t positives() const { return positives_; }
  std::vector<ReliabilityBin> bins(std::size_t most = kBins) const;
  // Mean over rows of |predicted - observed| of their bin (Naeini et al. 2015), and what chance
  // alone makes of it on so many rows when every probability is right. nullopt without rows.
  std::optional<double> error() const;
  std::optional<double> error_by_chance() const;
  // Sum of predictions over sum of labels; 1 is calibrated. nullopt without a positive.
  std::optional<double> ratio() const;
  // Normal on the log, z standard errors each way; the spread of the positives is taken from the
  // squared errors.
  std::optional<Interval> ratio_interval(double z = 1.96) const;

 private:
  static constexpr std::size_t kCells = 512;  // of +-16 in logit
  struct Cell {
    std::uint64_t rows = 0, positives = 0;
    double predicted = 0;
  };
  std::vector<Cell> cells_;  // made with the first row
  std::uint64_t rows_ = 0, positives_ = 0;
  double predicted_ = 0, squared_error_ = 0;
};

// One outcome in one slice of the rows.
struct CalibrationSlice {
  std::string outcome, slice;  // slice: "" = all rows
  Reliability reliability;
};

// The slice that is surely furthest from 1 in predicted over observed: by the end of its interval
// that is nearer to 1, at 95 % for all slices together (Bonferroni). nullptr: none is off by more
// than chance.
const CalibrationSlice* worst_slice(const std::vector<CalibrationSlice>& slices);

// {"rows","positives","ratio","ratio_interval","ece","ece_by_chance","bins":[...]}
void write_reliability(JsonWriter& json, const Reliability& reliability);

// The x with P(|standard normal| > x) = p; p in (0, 1).
double normal_two_sided(double p);

}  // namespace attune
