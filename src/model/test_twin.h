// What tests hold fast kernels against: plain twins in doubles, and finite differences of them.
#pragma once
#include <cmath>
#include <functional>
#include <vector>

namespace attune {

using Numbers = std::vector<double>;

// How far the two are apart, by the length of the second.
inline double distance(const Numbers& a, const Numbers& b) {
  double apart = 0, size = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    apart += (a[i] - b[i]) * (a[i] - b[i]);
    size += b[i] * b[i];
  }
  return std::sqrt(apart / std::max(size, 1e-30));
}

inline double slope_of(double& number, const std::function<double()>& of) {
  const double step = 1e-6, at = number;
  number = at + step;
  const double above = of();
  number = at - step;
  const double below = of();
  number = at;
  return (above - below) / (2 * step);
}

inline double product(const double* a, const double* b, std::size_t n) {
  double sum = 0;
  for (std::size_t i = 0; i < n; ++i) sum += a[i] * b[i];
  return sum;
}

// y = x W + b.
inline Numbers dense(const Numbers& x, const Numbers& w, const Numbers& b) {
  Numbers y = b;
  for (std::size_t i = 0; i < x.size(); ++i) {
    for (std::size_t o = 0; o < y.size(); ++o) y[o] += x[i] * w[i * y.size() + o];
  }
  return y;
}

}  // namespace attune
