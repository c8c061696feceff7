// TrainingCurve: the loss of the latest rows on the way through a training, by stage ("fm, fold
// 2"). At most kMostPoints a stage: then every other is dropped, and from there on only every other
// taken. One thread.
#pragma once
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "learn/fit.h"

namespace attune {

class TrainingCurve {
 public:
  static constexpr std::size_t kMostPoints = 1000;
  struct Point {
    std::uint64_t rows = 0;  // learned from so far, over all passes
    double loss = 0;
  };
  // What has no loss (reading, testing) is left out.
  void add(std::string_view stage, const FitProgress& progress);
  const std::map<std::string, std::vector<Point>, std::less<>>& stages() const { return stages_; }
  // Of the stage; at most so many, evenly taken; none for an unknown one.
  std::vector<double> losses(std::string_view stage, std::size_t most) const;

 private:
  struct Progress {
    std::uint64_t before = 0, rows = 0;  // of earlier passes; of this one
    std::size_t pass = 0;
    std::uint64_t every = 1, seen = 0;
  };
  std::map<std::string, std::vector<Point>, std::less<>> stages_;
  std::map<std::string, Progress, std::less<>> progress_;
};

}  // namespace attune
