// Recalibration: Platt's map kept up to date row after row, older rows counting less and less; and
// one such map for each slice. Each row is corrected before it is learned from. One thread.
#pragma once
#include <cstddef>
#include <map>
#include <string>
#include <string_view>

namespace attune {

struct RecalibrationOptions {
  double memory_rows = 5000;  // a row so many ago counts exp(-1) of the latest
  double prior_rows = 50;     // so many rows hold the map where it changes nothing
};

// Recursive logistic regression with forgetting: a Newton step a row on the decayed curvature,
// which never falls below that of the prior.
class Recalibration {
 public:
  explicit Recalibration(const RecalibrationOptions& options = {}) : options_(options) {}
  double apply(double p) const;  // strictly rising; what is no number in [0, 1] stays as it is
  void learn(double p, bool label);
  double slope() const { return slope_; }
  double offset() const { return offset_; }
  std::uint64_t rows() const { return rows_; }

 private:
  RecalibrationOptions options_;
  double slope_ = 1, offset_ = 0;
  double aa_ = 0, ab_ = 0, bb_ = 0;  // decayed curvature beside the prior's
  std::uint64_t rows_ = 0;
};

// One for each slice of each outcome, named together by the caller: "click/mobile". A slice begins
// with the map of all rows and has its own after kOwnRows.
class SliceRecalibration {
 public:
  static constexpr std::size_t kMostSlices = 1000;  // further ones use the map of all
  static constexpr std::uint64_t kOwnRows = 200;
  explicit SliceRecalibration(const RecalibrationOptions& options = {})
      : options_(options), all_(options) {}
  double apply(std::string_view slice, double p) const;
  void learn(std::string_view slice, double p, bool label);
  const Recalibration& all() const { return all_; }
  const Recalibration* find(std::string_view slice) const;

 private:
  RecalibrationOptions options_;
  Recalibration all_;
  std::map<std::string, Recalibration, std::less<>> slices_;
};

}  // namespace attune
