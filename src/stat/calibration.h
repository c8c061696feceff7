// CalibrationMap: from what a model says to how often it comes true, fitted on rows it has not
// learned from. Strictly rising, so that order, and with it AUC, stays. const calls are safe to
// share.
#pragma once
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace attune {

enum class CalibrationKind : std::uint8_t { kNone, kIsotonic, kPlatt };
std::string_view calibration_kind_name(CalibrationKind kind);  // "none", "isotonic", "platt"
std::optional<CalibrationKind> calibration_kind(std::string_view name);

class CalibrationMap {
 public:
  struct Knot {
    double p = 0;       // said
    double rate = 0.5;  // and how often it is so, in (0, 1)
  };
  // Changes nothing.
  CalibrationMap() = default;
  // Steps of equal rate by pooling neighbours out of order (Ayer et al. 1955, PAVA), each tilted a
  // little so that no two probabilities become one. A row of the base rate more at either end keeps
  // the rates off 0 and 1. O(n log n).
  static Result<CalibrationMap> isotonic(std::span<const std::uint8_t> labels,
                                         std::span<const double> probabilities);
  // 1 / (1 + exp(-(slope logit(p) + offset))) of the highest likelihood, with the targets of Platt
  // 1999; a slope not above 0 would turn the order round: it is held at kLeastSlope.
  static Result<CalibrationMap> platt(std::span<const std::uint8_t> labels,
                                      std::span<const double> probabilities);
  // All three fits: kInvalid with one class only, or when a p is no number in [0, 1].
  static Result<CalibrationMap> fit(CalibrationKind kind, std::span<const std::uint8_t> labels,
                                    std::span<const double> probabilities);
  static constexpr double kLeastSlope = 1e-3;

  CalibrationKind kind() const { return kind_; }
  double apply(double p) const;              // what is no number in [0, 1] stays as it is
  double slope() const { return slope_; }    // of platt
  double offset() const { return offset_; }  // of platt
  std::span<const Knot> knots() const { return knots_; }  // of isotonic, rising

  void encode(std::string& out) const;
  static Result<CalibrationMap> decode(std::string_view bytes);

 private:
  double interpolate(double p) const;

  CalibrationKind kind_ = CalibrationKind::kNone;
  double slope_ = 1, offset_ = 0;
  std::vector<Knot> knots_;
};

// ln(p / (1 - p)), p kept 1e-7 away from 0 and 1 (of a float there is not more); and back.
double logit_of(double p);
double sigmoid_of(double logit);

}  // namespace attune
