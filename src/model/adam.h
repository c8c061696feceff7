// Adam (Kingma and Ba 2015) for dense weights: arrays of the same length that learn together. One
// thread.
#pragma once
#include <array>
#include <cmath>
#include <utility>
#include <vector>

#include "model/float8.h"

namespace attune {

struct AdamWeights {
  // Zeros, and a line behind them that nobody uses: what members of a team write lies apart.
  static void fill(std::vector<float>& part, std::size_t n) {
    part.reserve(n + 16);
    part.assign(n, 0.0F);
  }
  std::vector<float> w, mean, square;
  // Summed up since the last step; one for each member of a team that learns.
  std::vector<std::vector<float>> gradients{1};
  float rate_factor = 1;  // beside the rate of the step
  void resize(std::size_t n) {
    for (auto* part : {&w, &mean, &square}) fill(*part, n);
    for (auto& part : gradients) fill(part, n);
  }
  void share(std::size_t members) {
    gradients.resize(members);
    for (auto& part : gradients) fill(part, w.size());
  }
  std::vector<float>& gradient(std::size_t member = 0) { return gradients[member]; }
  // What must be saved.
  std::array<std::vector<float>*, 3> state() { return {&w, &mean, &square}; }
  std::array<const std::vector<float>*, 3> state() const { return {&w, &mean, &square}; }
};

class Adam {
 public:
  Adam(double rate, double beta1, double beta2, double l2)
      : rate_(rate), beta1_(beta1), beta2_(beta2), l2_(static_cast<float>(l2)) {}
  // Before the weights of one step.
  void begin() {
    powers[0] *= beta1_;
    powers[1] *= beta2_;
  }
  // One step on the sum of the gradients * scale, which are then forgotten.
  void step(AdamWeights& weights, float scale) const { step(weights, scale, 0, weights.w.size()); }
  // The same of the weights [begin, end).
  void step(AdamWeights& weights, float scale, std::size_t begin, std::size_t end) const {
    for (std::size_t member = 1; member < weights.gradients.size(); ++member) {
      add(weights.gradients[member].data(), weights.gradients[0].data(), begin, end);
    }
    const double unbiased = std::sqrt(1 - powers[1]);
    const Step by{
        .scale = scale,
        .rate = static_cast<float>(rate_ * unbiased / (1 - powers[0])) * weights.rate_factor,
        .epsilon = static_cast<float>(1e-8 * unbiased)};
    std::size_t i = begin;
    for (; i + 8 <= end; i += 8) {
      if (i % 16 == 0) __builtin_prefetch(&weights.w[i] + kAhead, 1);
      Float8 part[4];
      float* const at[4] = {&weights.w[i], &weights.gradients[0][i], &weights.mean[i],
                            &weights.square[i]};
      for (int k = 0; k < 4; ++k) part[k] = Float8::load(at[k]);
      apply<Float8>(part, by);
      for (int k = 0; k < 4; ++k) part[k].store(at[k]);
    }
    for (; i < end; ++i) {
      float part[4] = {weights.w[i], weights.gradients[0][i], weights.mean[i], weights.square[i]};
      apply<float>(part, by);
      weights.w[i] = part[0];
      weights.gradients[0][i] = part[1];
      weights.mean[i] = part[2];
      weights.square[i] = part[3];
    }
  }

  std::array<double, 2> powers{1, 1};  // beta1^t, beta2^t: to be saved

 private:
  struct Step {
    float scale, rate, epsilon;
  };
  // Numbers; lines that other threads have read or written are asked for so early.
  static constexpr std::size_t kAhead = 512;
  // Adds `from` to `to`, and forgets it.
  static void add(float* from, float* to, std::size_t begin, std::size_t end) {
    std::size_t i = begin;
    for (; i + 8 <= end; i += 8) {
      if (i % 16 == 0) {
        for (float* const part : {from, to}) __builtin_prefetch(part + i + kAhead, 1);
      }
      (Float8::load(to + i) + Float8::load(from + i)).store(to + i);
      Float8().store(from + i);
    }
    for (; i < end; ++i) to[i] += std::exchange(from[i], 0.0F);
  }
  template <class F>
  void apply(F (&part)[4], const Step& by) const {
    const auto b1 = static_cast<float>(beta1_), b2 = static_cast<float>(beta2_);
    const F g = part[1] * F(by.scale) + F(l2_) * part[0];
    part[2] = F(b1) * part[2] + F(1 - b1) * g;
    part[3] = F(b2) * part[3] + F(1 - b2) * g * g;
    part[0] = part[0] - F(by.rate) * part[2] / (square_root(part[3]) + F(by.epsilon));
    part[1] = F(0);
  }

  double rate_, beta1_, beta2_;
  float l2_;
};

}  // namespace attune
