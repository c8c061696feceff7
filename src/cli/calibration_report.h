// What eval says of calibration: a table, JSON and a picture, for all rows and by slice. Pure.
#pragma once
#include <string>
#include <vector>

#include "learn/evaluation.h"
#include "stat/reliability.h"

namespace attune {

class JsonWriter;

// Predictions as they are, and corrected row after row by those before (stat/recalibration.h).
struct AsItGoes {
  double log_loss = 0, recalibrated = 0;
  std::uint64_t rows = 0;
};

struct CalibrationView {
  std::string outcome;  // "click", the target
  std::string column;   // of the slices; "" = none
  Reliability all;
  std::vector<CalibrationSlice> slices;  // the largest first
  AsItGoes as_it_goes;
};

// Predicted beside observed by bin, then what is off, then the slices, at most so many.
std::vector<std::string> calibration_table(const CalibrationView& view, std::size_t most);

// "reliability":{...}, "worst_slice", "recalibrated_as_it_goes", into an open object. The slices
// are written with their measures, by write_reliability.
void write_calibration_view(JsonWriter& json, const CalibrationView& view);

// Observed over predicted with intervals: all rows large, the largest slices small.
std::string calibration_svg(const CalibrationView& view, const std::string& title);

}  // namespace attune
