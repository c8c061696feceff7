#include "stat/binary_scores.h"

#include <algorithm>
#include <bit>
#include <cmath>

#include "stat/delong.h"

namespace attune {
namespace {

constexpr double kTiny = 1e-15;

double loss_of(double p, bool label) {
  const double q = std::clamp(p, kTiny, 1 - kTiny);
  return label ? -std::log(q) : -std::log1p(-q);
}

double of(std::uint64_t count) { return static_cast<double>(count); }

Measure undefined(std::string name, std::string why) {
  return {.name = std::move(name), .undefined = std::move(why)};
}

// successes of n, with Wilson's interval; n > 0.
Measure share(std::string name, double successes, double n) {
  return {.name = std::move(name),
          .value = successes / n,
          .interval = wilson(successes, n),
          .method = "Wilson"};
}

}  // namespace

void BinaryScores::add(float p, bool label) {
  if (!(p >= 0 && p <= 1)) {
    ++unscored_;
    return;
  }
  p = std::fabs(p);  // -0 has the bits of a large number
  keys_.push_back(std::bit_cast<std::uint32_t>(p) << 1 | (label ? 1U : 0U));
  const bool is_yes = static_cast<double>(p) >= options_.threshold;
  ++(label ? (is_yes ? true_positives_ : false_negatives_)
           : (is_yes ? false_positives_ : true_negatives_));
  const double loss = loss_of(p, label), error = p - (label ? 1 : 0);
  loss_ += loss;
  squared_loss_ += loss * loss;
  sum_p_ += p;
  squared_error_ += error * error;
}

double BinaryScores::rate() const { return of(positives()) / of(n()); }

double BinaryScores::known_rate() const { return options_.known_rate.value_or(rate()); }

// "" when both are there.
std::string BinaryScores::one_class() const {
  if (n() == 0) return "no rows";
  if (positives() == 0) return "the rows have one class: no label is 1";
  return positives() == n() ? "the rows have one class: every label is 1" : "";
}

std::vector<Measure> BinaryScores::measures() {
  return {base_rate(), auc(), log_loss(), accuracy(), precision(), recall(), f1(), calibration()};
}

Measure BinaryScores::base_rate() const {
  if (n() == 0) return undefined("base_rate", "no rows");
  return share("base_rate", of(positives()), of(n()));
}

Measure BinaryScores::auc() {
  if (const std::string why = one_class(); !why.empty()) return undefined("auc", why);
  std::sort(keys_.begin(), keys_.end());
  const auto each = [this](const auto& f) {
    for (std::size_t i = 0; i < keys_.size();) {
      const std::uint32_t score = keys_[i] >> 1;
      double no = 0, yes = 0;
      for (; i < keys_.size() && keys_[i] >> 1 == score; ++i) ((keys_[i] & 1) != 0 ? yes : no) += 1;
      f(no, yes);
    }
  };
  return {.name = "auc",
          .value = tied_auc(each),
          .interval = tied_auc_interval(each),
          .method = "DeLong",
          .baseline = 0.5,
          .compared_with = "any order"};
}

Measure BinaryScores::log_loss() const {
  if (n() == 0) return undefined("log_loss", "no rows");
  auto interval = normal_interval(loss_, squared_loss_, of(n()));
  if (interval) interval->low = std::max(0.0, interval->low);
  const double guess = known_rate();
  return {.name = "log_loss",
          .value = mean_log_loss(),
          .interval = interval,
          .method = "normal",
          .baseline = rate() * loss_of(guess, true) + (1 - rate()) * loss_of(guess, false),
          .compared_with = "always the base rate"};
}

Measure BinaryScores::accuracy() const {
  if (n() == 0) return undefined("accuracy", "no rows");
  Measure measure = share("accuracy", of(true_positives_ + true_negatives_), of(n()));
  measure.baseline = known_rate() > 0.5 ? rate() : 1 - rate();
  measure.compared_with = "always the more common class";
  return measure;
}

Measure BinaryScores::precision() const {
  if (n() == 0) return undefined("precision", "no rows");
  const double said = of(true_positives_ + false_positives_);
  if (said == 0) return undefined("precision", "no prediction reaches the threshold");
  Measure measure = share("precision", of(true_positives_), said);
  measure.baseline = rate();
  measure.compared_with = "always yes";
  return measure;
}

Measure BinaryScores::recall() const {
  if (n() == 0) return undefined("recall", "no rows");
  if (positives() == 0) return undefined("recall", one_class());
  Measure measure = share("recall", of(true_positives_), of(positives()));
  measure.baseline = of(true_positives_ + false_positives_) / of(n());
  measure.compared_with = "as many picked at random";
  return measure;
}

// F1 is 2 j / (1 + j) of the share j = TP / (TP + FP + FN), which has Wilson's interval.
Measure BinaryScores::f1() const {
  if (n() == 0) return undefined("f1", "no rows");
  const double hits = of(true_positives_), all = hits + of(false_positives_ + false_negatives_);
  if (all == 0) return undefined("f1", "no label is 1 and no prediction reaches the threshold");
  const auto f = [](double j) { return 2 * j / (1 + j); };
  const Interval j = wilson(hits, all);
  return {.name = "f1",
          .value = f(hits / all),
          .interval = Interval{f(j.low), f(j.high)},
          .method = "Wilson",
          .baseline = 2 * rate() / (1 + rate()),
          .compared_with = "always yes"};
}

// Normal on the log: the spread of the positives is taken from the squared errors.
Measure BinaryScores::calibration() const {
  if (n() == 0) return undefined("calibration", "no rows");
  if (positives() == 0) return undefined("calibration", one_class());
  const double ratio = sum_p_ / of(positives());
  const double spread = std::exp(1.96 * std::sqrt(squared_error_) / of(positives()));
  return {.name = "calibration",
          .value = ratio,
          .interval = Interval{ratio / spread, ratio * spread},
          .method = "normal",
          .baseline = known_rate() * of(n()) / of(positives()),
          .compared_with = "always the base rate"};
}

}  // namespace attune
