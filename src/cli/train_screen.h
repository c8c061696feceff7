// TrainScreen: how far a training is, on stderr: a bar with the pass, the rows and the loss of the
// latest rows, drawn in place on a terminal; elsewhere nothing. One thread.
#pragma once
#include <string>
#include <string_view>

#include "cli/screen.h"
#include "learn/fit.h"

namespace attune {

class TrainScreen {
 public:
  void show(std::string_view stage, const FitProgress& progress);
  void erase() { screen_.erase(); }
  // A line that stays.
  void say(const std::string& line) { screen_.say(line); }

 private:
  Screen screen_;
};

// The line of a stage, without colours.
std::string stage_line(std::string_view stage, const FitProgress& progress);

}  // namespace attune
