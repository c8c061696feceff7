// Evaluation: predictions beside labels, measured as a whole, by slice and inside groups. One
// thread.
#pragma once
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "stat/binary_scores.h"
#include "stat/group_scores.h"
#include "stat/order_scores.h"
#include "stat/reliability.h"
#include "stat/value_scores.h"

namespace attune {

struct EvaluationOptions {
  bool is_binary = true;                  // of a yes or no; else of a number
  double threshold = 0.5;                 // from here on a prediction says yes
  std::optional<double> known_rate = {};  // base rate or mean of the rows learned from
  std::size_t k = 10;                     // rows of a group that count as shown
  // Predictions are scores, of which only the order inside a group counts.
  bool is_ranking = false;
};

struct SliceScores {
  std::string value;
  std::uint64_t rows = 0;
  std::vector<Measure> measures;
  Reliability reliability = {};  // of a yes or no
};

class Evaluation {
 public:
  static constexpr std::size_t kMostSlices = 1000;  // further values share the last: "(other)"
  explicit Evaluation(const EvaluationOptions& options) : options_(options), all_(options) {}
  // A row without a label (NaN) is counted alone. group: rows are only compared inside it.
  void add(float predicted, float label, std::string_view group = {});
  // The same row once more, for the slice it belongs to.
  void add_to_slice(std::string_view slice, float predicted, float label);
  std::uint64_t rows() const { return rows_; }
  std::uint64_t unlabelled() const { return unlabelled_; }
  std::uint64_t positives() const { return all_.binary.positives(); }
  // With those of groups at the end where groups were named: of GroupScores, of a yes or no alone,
  // and of OrderScores.
  std::vector<Measure> measures();
  const Reliability& reliability() const { return all_.reliability; }
  // The largest first.
  std::vector<SliceScores> slices();

 private:
  struct Scores {
    explicit Scores(const EvaluationOptions& options)
        : binary({options.threshold, options.known_rate}), values(options.known_rate) {}
    std::uint64_t n() const { return binary.n() + values.n(); }
    BinaryScores binary;
    ValueScores values;
    Reliability reliability;
  };
  void add_to(Scores& scores, float predicted, float label) const;

  EvaluationOptions options_;
  Scores all_;
  std::uint64_t rows_ = 0, unlabelled_ = 0;
  GroupScores groups_;
  OrderScores orders_;
  bool has_groups_ = false;
  std::map<std::string, Scores, std::less<>> slices_;
};

}  // namespace attune
