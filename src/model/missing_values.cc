#include "model/missing_values.h"

#include <algorithm>
#include <cmath>
#include <utility>

namespace attune {
namespace {

constexpr std::size_t kSampleRows = 20'000;
constexpr std::size_t kParts = 16;  // of the numbers of a column, about equally many in each

struct Mean {
  double sum = 0, weight = 0;
  void add(float label, float by) {
    sum += double{label} * double{by};
    weight += double{by};
  }
  double value() const { return weight > 0 ? sum / weight : 0; }
};

struct Known {
  float number, label, weight;
};

// known: not empty.
float most_alike(std::vector<Known>& known, const Mean& missing) {
  std::sort(known.begin(), known.end(),
            [](const Known& a, const Known& b) { return a.number < b.number; });
  float best = known[known.size() / 2].number;
  double least = HUGE_VAL;
  for (std::size_t part = 0; part < kParts && missing.weight > 0; ++part) {
    const std::size_t begin = known.size() * part / kParts;
    const std::size_t end = known.size() * (part + 1) / kParts;
    Mean mean;
    for (std::size_t i = begin; i < end; ++i) mean.add(known[i].label, known[i].weight);
    const double distance = std::abs(mean.value() - missing.value());
    if (mean.weight == 0 || distance >= least) continue;
    least = distance;
    best = known[(begin + end) / 2].number;
  }
  return best;
}

}  // namespace

std::vector<float> stand_ins(const GatheredRows& rows) {
  const std::size_t step = std::max<std::size_t>(rows.size() / kSampleRows, 1);
  std::vector<std::uint32_t> sample;
  for (std::size_t row = 0; row < rows.size(); row += step) {
    sample.push_back(static_cast<std::uint32_t>(row));
  }
  const std::size_t columns = rows.columns();
  std::vector<float> numbers(sample.size() * columns), out(columns);
  rows.copy(sample, numbers);
  std::vector<Known> known;
  for (std::size_t column = 0; column < columns; ++column) {
    known.clear();
    Mean missing;
    for (std::size_t i = 0; i < sample.size(); ++i) {
      const float number = numbers[i * columns + column];
      const float label = rows.labels()[sample[i]], weight = rows.weights()[sample[i]];
      if (std::isnan(number)) {
        missing.add(label, weight);
      } else {
        known.push_back({number, label, weight});
      }
    }
    if (!known.empty()) out[column] = most_alike(known, missing);
  }
  return out;
}

}  // namespace attune
