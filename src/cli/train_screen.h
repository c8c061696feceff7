// TrainScreen: how far a training is, on stderr: a bar with the pass, the rows and the loss of the
// latest rows and its curve, drawn in place on a terminal; elsewhere nothing. One thread.
#pragma once
#include <string>
#include <string_view>

#include "cli/screen.h"
#include "cli/training_curve.h"
#include "learn/fit.h"

namespace attune {

class TrainScreen {
 public:
  void show(std::string_view stage, const FitProgress& progress);
  void erase() { screen_.erase(); }
  const TrainingCurve& curve() const { return curve_; }
  // A line that stays.
  void say(const std::string& line) { screen_.say(line); }

 private:
  Screen screen_;
  TrainingCurve curve_;
};

// The line of a stage, without colours.
std::string stage_line(std::string_view stage, const FitProgress& progress);
// Losses over time, the latest at the right: lines of so many columns with the highest and the
// lowest named. Empty for fewer than 2.
std::vector<std::string> curve_lines(const std::vector<double>& losses);

}  // namespace attune
