// How weights of linear models learn (LinearModel<Rule>). Each step is one formula for one float,
// eight, or a double.
#pragma once
#include <array>
#include <cmath>
#include <span>

#include "model/feature_table.h"
#include "model/float8.h"
#include "model/linear_model.h"

namespace attune {

// What rules of logistic loss without further state share.
struct LogisticRule {
  static constexpr bool kIsProbability = true;
  void prepare(FoundRows& /*found*/) {}
  void begin(const FoundRows& /*found*/, float /*label*/) {}
  static float error(float p, float label) { return p - label; }
  std::span<double> state() { return {}; }
};

// FTRL-Proximal (McMahan et al. 2013, algorithm 1): a = z, b = n. A row of weight k adds to n as k
// rows would.
struct FtrlRule : LogisticRule {
  explicit FtrlRule(std::span<const double> v)
      : inverse_alpha(1 / v[0]), beta(v[1]), l1(v[2]), l2(v[3]) {}
  template <class F>
  void step(Cell<F>& c, F gradient, F weight) const {
    const F scale = constant<F>(inverse_alpha), least = constant<F>(1e-30);
    const F squared = weight * gradient * gradient;
    const F grown = c.b + squared;
    const F root = square_root(grown);
    const F rate = larger((constant<F>(beta) + root) * scale + constant<F>(l2), least);
    if (l1 == 0) {  // then z = -rate * weight before and after: one root and one quotient less
      c.weight = c.weight - weight * gradient / rate;
      c.a = constant<F>(0) - rate * c.weight;
    } else {
      // (sqrt(n + g^2) - sqrt(n)) / alpha, without the loss of digits.
      const F sigma = squared * scale / larger(root + square_root(c.b), least);
      c.a = c.a + weight * gradient - sigma * c.weight;
      const F shrunk = larger(magnitude(c.a) - constant<F>(l1), constant<F>(0));
      c.weight = with_sign_of(shrunk, constant<F>(0) - c.a) / rate;
    }
    c.b = grown;
  }
  double inverse_alpha, beta, l1, l2;
};

// Plain stochastic gradient descent; the rate falls as rows^-power.
struct SgdRule : LogisticRule {
  explicit SgdRule(std::span<const double> v) : learning_rate(v[0]), power(v[1]), l2(v[2]) {}
  void begin(const FoundRows& /*found*/, float /*label*/) {
    numbers[0] += 1;
    rate = power == 0 ? learning_rate : learning_rate * std::pow(numbers[0], -power);
  }
  std::span<double> state() { return numbers; }
  template <class F>
  void step(Cell<F>& c, F gradient, F weight) const {
    const F slope = gradient + constant<F>(l2) * c.weight;
    c.weight = c.weight - constant<F>(rate) * weight * slope;
  }
  double learning_rate, power, l2, rate = 0;
  std::array<double, 1> numbers{};  // rows learned
};

// AdaGrad (Duchi et al. 2011): a = sum of squared gradients.
struct AdagradRule : LogisticRule {
  explicit AdagradRule(std::span<const double> v) : learning_rate(v[0]), initial(v[1]), l2(v[2]) {}
  template <class F>
  void step(Cell<F>& c, F gradient, F weight) const {
    const F slope = gradient + constant<F>(l2) * c.weight;
    c.a = c.a + weight * slope * slope;
    c.weight = c.weight - constant<F>(learning_rate) * weight * slope /
                              square_root(constant<F>(initial) + c.a);
  }
  double learning_rate, initial, l2;
};

// Adam (Kingma and Ba 2015) on the weights a row touches: a, b = means of gradient and its square.
struct AdamRule : LogisticRule {
  explicit AdamRule(std::span<const double> v) : learning_rate(v[0]), beta1(v[1]), beta2(v[2]) {}
  void begin(const FoundRows& /*found*/, float /*label*/) {
    numbers[0] *= beta1;
    numbers[1] *= beta2;
    rate = learning_rate * std::sqrt(1 - numbers[1]) / (1 - numbers[0]);
  }
  std::span<double> state() { return numbers; }
  template <class F>
  void step(Cell<F>& c, F gradient, F weight) const {
    const F slope = gradient * weight;
    c.a = constant<F>(beta1) * c.a + constant<F>(1 - beta1) * slope;
    c.b = constant<F>(beta2) * c.b + constant<F>(1 - beta2) * slope * slope;
    c.weight = c.weight - constant<F>(rate) * c.a / (square_root(c.b) + constant<F>(1e-8));
  }
  double learning_rate, beta1, beta2, rate = 0;
  std::array<double, 2> numbers{1, 1};  // beta1^t, beta2^t
};

// Squared loss, normalised adaptive gradient (Ross, Mineiro and Langford 2013, algorithm NAG), so
// that the units of features do not matter: a = sum of squared gradients, b = largest |value|. The
// units of the label do not matter either: errors are in units of the largest |label|.
struct NormalisedRule {
  static constexpr bool kIsProbability = false;
  explicit NormalisedRule(std::span<const double> v) : learning_rate(v[0]) {}
  void prepare(FoundRows& found) {
    for (std::size_t i = 0; i < found.size; ++i) {
      float* const row = found.at[i];
      const float size = std::abs(found.x[i]);
      if (size <= row[3]) continue;
      row[1] *= row[3] / size;
      row[3] = size;
    }
    for (std::size_t i = 0; i < found.size; ++i) found.first[i] = found.at[i][1];
  }
  void begin(const FoundRows& found, float label) {
    double& rows = numbers[0];
    double& sizes = numbers[1];
    double& largest = numbers[2];
    rows += 1;
    for (std::size_t i = 0; i < found.size; ++i) {
      if (found.x[i] == 0) continue;
      const double relative = double{found.x[i]} / double{found.at[i][3]};
      sizes += relative * relative;
    }
    largest = std::max(largest, double{std::abs(label)});
    rate = learning_rate * std::sqrt(rows / std::max(sizes, 1.0)) * largest;
  }
  float error(float value, float label) const {
    return numbers[2] == 0 ? 0 : static_cast<float>((double{value} - label) / numbers[2]);
  }
  std::span<double> state() { return numbers; }
  template <class F>
  void step(Cell<F>& c, F gradient, F weight) const {
    c.a = c.a + weight * gradient * gradient;
    const F scale = larger(c.b * square_root(c.a), constant<F>(1e-30));
    c.weight = c.weight - constant<F>(rate) * weight * gradient / scale;
  }
  double learning_rate, rate = 0;
  std::array<double, 3> numbers{};  // rows, sum of squared relative values, largest |label|
};

}  // namespace attune
