// Adam (Kingma and Ba 2015) for dense weights: arrays of the same length that learn together. One
// thread.
#pragma once
#include <array>
#include <cmath>
#include <vector>

#include "model/float8.h"

namespace attune {

struct AdamWeights {
  std::vector<float> w, mean, square;
  std::vector<float> gradient;  // summed up since the last step
  float rate_factor = 1;        // beside the rate of the step
  void resize(std::size_t n) {
    for (auto* part : {&w, &mean, &square, &gradient}) part->assign(n, 0.0F);
  }
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
  void step(AdamWeights& weights, float scale) const {
    const double unbiased = std::sqrt(1 - powers[1]);
    const Step by{
        .scale = scale,
        .rate = static_cast<float>(rate_ * unbiased / (1 - powers[0])) * weights.rate_factor,
        .epsilon = static_cast<float>(1e-8 * unbiased)};
    const std::size_t end = weights.w.size();
    std::size_t i = 0;
    for (; i + 8 <= end; i += 8) {
      Float8 part[4];
      float* const at[4] = {&weights.w[i], &weights.gradient[i], &weights.mean[i],
                            &weights.square[i]};
      for (int k = 0; k < 4; ++k) part[k] = Float8::load(at[k]);
      apply<Float8>(part, by);
      for (int k = 0; k < 4; ++k) part[k].store(at[k]);
    }
    for (; i < end; ++i) {
      float part[4] = {weights.w[i], weights.gradient[i], weights.mean[i], weights.square[i]};
      apply<float>(part, by);
      weights.w[i] = part[0];
      weights.gradient[i] = part[1];
      weights.mean[i] = part[2];
      weights.square[i] = part[3];
    }
  }

  std::array<double, 2> powers{1, 1};  // beta1^t, beta2^t: to be saved

 private:
  struct Step {
    float scale, rate, epsilon;
  };
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
