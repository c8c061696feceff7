// AUC and its interval from groups of tied scores (DeLong, DeLong and Clarke-Pearson 1988), for
// whoever has them in order. Pure.
//   each: each(f) calls f(negatives, positives) for every distinct score, lowest first
#pragma once
#include <algorithm>
#include <cmath>
#include <optional>

#include "stat/metrics.h"

namespace attune {

// nullopt with one class.
template <class Each>
std::optional<double> tied_auc(const Each& each) {
  double wins = 0, negatives = 0, positives = 0;
  each([&](double no, double yes) {
    wins += yes * (negatives + no / 2);
    negatives += no;
    positives += yes;
  });
  if (negatives == 0 || positives == 0) return std::nullopt;
  return wins / (positives * negatives);
}

// nullopt with less than two of a class. Where every pair is in order there is no spread to
// measure: then the bound is Wilson's for the smaller class, which is wide rather than nothing.
template <class Each>
std::optional<Interval> tied_auc_interval(const Each& each) {
  double positives = 0, negatives = 0;
  each([&](double no, double yes) {
    negatives += no;
    positives += yes;
  });
  if (positives < 2 || negatives < 2) return std::nullopt;
  const double mean = *tied_auc(each);
  const double smaller = std::min(positives, negatives);
  if (mean == 0 || mean == 1) return wilson(mean * smaller, smaller);
  double of_positives = 0, of_negatives = 0, negatives_below = 0, positives_below = 0;
  each([&](double no, double yes) {
    const double positive_place = (negatives_below + no / 2) / negatives - mean;
    const double negative_place = 1 - (positives_below + yes / 2) / positives - mean;
    of_positives += yes * positive_place * positive_place;
    of_negatives += no * negative_place * negative_place;
    negatives_below += no;
    positives_below += yes;
  });
  const double half = 1.96 * std::sqrt(of_positives / (positives - 1) / positives +
                                       of_negatives / (negatives - 1) / negatives);
  return Interval{std::max(0.0, mean - half), std::min(1.0, mean + half)};
}

}  // namespace attune
