// The network against a plain twin in doubles, and the twin's gradients against finite differences.
#include <gtest/gtest.h>

#include <cmath>

#include "base/rng.h"
#include "model/model.h"

namespace attune {
namespace {

constexpr std::size_t kInputs = 4, kHidden = 6;
constexpr std::uint64_t kSeed = 9;

// All parameters in a row: first weights (inputs, hidden), first bias, second weights, second bias.
struct PlainMlp {
  std::vector<double> w, mean, square;
  double t = 0;
  static constexpr std::size_t kBias = kInputs * kHidden, kSecond = kBias + kHidden,
                               kSecondBias = kSecond + kHidden;

  PlainMlp() : mean(kSecondBias + 1), square(kSecondBias + 1) {
    Rng rng(kSeed);
    for (std::size_t i = 0; i <= kSecondBias; ++i) {
      const double fan_in = i < kSecond ? kInputs : kHidden;
      w.push_back((2 * rng.uniform() - 1) / std::sqrt(fan_in));
    }
  }
  double active(std::span<const double> x, std::size_t h) const {
    double sum = w[kBias + h];
    for (std::size_t i = 0; i < kInputs; ++i) sum += x[i] * w[i * kHidden + h];
    return std::max(sum, 0.0);
  }
  double p(std::span<const double> x) const {
    double logit = w[kSecondBias];
    for (std::size_t h = 0; h < kHidden; ++h) logit += active(x, h) * w[kSecond + h];
    return 1 / (1 + std::exp(-logit));
  }
  double loss(std::span<const double> x, double y) const {
    return -std::log(y == 1 ? p(x) : 1 - p(x));
  }
  std::vector<double> gradient(std::span<const double> x, double y) const {
    std::vector<double> g(w.size());
    const double error = p(x) - y;
    g[kSecondBias] = error;
    for (std::size_t h = 0; h < kHidden; ++h) {
      const double a = active(x, h);
      g[kSecond + h] = error * a;
      if (a == 0) continue;
      g[kBias + h] = error * w[kSecond + h];
      for (std::size_t i = 0; i < kInputs; ++i) g[i * kHidden + h] = g[kBias + h] * x[i];
    }
    return g;
  }
  void step(std::span<const double> g, double rate) {
    t += 1;
    for (std::size_t i = 0; i < w.size(); ++i) {
      mean[i] = 0.9 * mean[i] + 0.1 * g[i];
      square[i] = 0.999 * square[i] + 0.001 * g[i] * g[i];
      const double m = mean[i] / (1 - std::pow(0.9, t)), v = square[i] / (1 - std::pow(0.999, t));
      w[i] -= rate * m / (std::sqrt(v) + 1e-8);
    }
  }
};

struct Data {
  Examples rows;
  std::vector<std::vector<double>> x;
};

Data rows_of(std::size_t n) {
  Rng rng(4);
  Data data;
  for (std::size_t r = 0; r < n; ++r) {
    auto& x = data.x.emplace_back();
    for (std::size_t i = 0; i < kInputs; ++i) {
      const auto value = static_cast<float>(rng.normal());
      x.push_back(double{value});
      data.rows.features.push_back({static_cast<std::uint32_t>(i), value});
      data.rows.fields.push_back(static_cast<std::uint16_t>(i));
    }
    data.rows.labels.push_back(x[0] * x[1] > 0 ? 1.0F : 0.0F);  // no line divides these
    data.rows.ends.push_back(static_cast<std::uint32_t>(data.rows.features.size()));
  }
  return data;
}

std::unique_ptr<Model> make(std::size_t hidden, double rate) {
  auto model = make_model(
      {.kind = "mlp",
       .seed = kSeed,
       .inputs = kInputs,
       .settings = {
           {"hidden", static_cast<double>(hidden)}, {"learning_rate", rate}, {"batch", 10}}});
  EXPECT_TRUE(model.ok());
  return std::move(model).value();
}

TEST(Mlp, AgreesWithItsTwin) {
  const auto model = make(kHidden, 0.01);
  PlainMlp twin;
  const Data data = rows_of(995);  // the last batch is a small one
  std::vector<float> before(data.rows.size());
  model->learn(data.rows, before);
  for (std::size_t begin = 0; begin < 995; begin += 10) {
    const std::size_t end = std::min<std::size_t>(995, begin + 10);
    std::vector<double> sum(twin.w.size());
    for (std::size_t r = begin; r < end; ++r) {
      ASSERT_NEAR(double{before[r]}, twin.p(data.x[r]), 1e-4) << r;
      const auto g = twin.gradient(data.x[r], double{data.rows.labels[r]});
      for (std::size_t i = 0; i < g.size(); ++i) sum[i] += g[i] / static_cast<double>(end - begin);
    }
    twin.step(sum, 0.01);
  }
}

TEST(Mlp, GradientsAreThoseOfItsLoss) {
  PlainMlp twin;
  const Data data = rows_of(20);
  for (std::size_t r = 0; r < 20; ++r) {
    const double y = double{data.rows.labels[r]}, h = 1e-6;
    const auto g = twin.gradient(data.x[r], y);
    for (std::size_t i = 0; i < g.size(); ++i) {
      PlainMlp above = twin, below = twin;
      above.w[i] += h;
      below.w[i] -= h;
      const double slope = (above.loss(data.x[r], y) - below.loss(data.x[r], y)) / (2 * h);
      ASSERT_NEAR(slope, g[i], 1e-5 * std::max(std::abs(g[i]), 1e-3)) << i;
    }
  }
}

TEST(Mlp, LearnsWhatNoLineDivides) {
  const auto model = make(32, 0.01);
  const Data data = rows_of(2000);
  std::vector<float> p(data.rows.size());
  for (int pass = 0; pass < 15; ++pass) model->learn(data.rows, p);
  model->predict(data.rows, p);
  std::size_t right = 0;
  for (std::size_t r = 0; r < p.size(); ++r) right += (p[r] > 0.5F) == (data.rows.labels[r] == 1);
  EXPECT_GT(right, 1900u);
}

}  // namespace
}  // namespace attune
