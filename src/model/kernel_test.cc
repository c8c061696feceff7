// The fast kernels against plain twins in doubles, and the twins' gradients against finite
// differences.
#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <functional>
#include <limits>
#include <map>

#include "base/hash.h"
#include "base/rng.h"
#include "model/feature_table.h"
#include "model/float8.h"
#include "model/model.h"

namespace attune {
namespace {

constexpr std::uint64_t kSeed = 5;

// Rows of up to 11 features of 60 ids, some twice in a row, values of either sign.
Examples rows_of(std::size_t n, std::uint64_t seed) {
  Rng rng(seed);
  Examples rows;
  for (std::size_t r = 0; r < n; ++r) {
    const std::size_t width = rng.below(12);
    double logit = 0;
    for (std::size_t i = 0; i < width; ++i) {
      const auto id = static_cast<std::uint32_t>(rng.below(60));
      const auto value = static_cast<float>(rng.normal());
      rows.features.push_back({id * 4, value});
      rows.fields.push_back(static_cast<std::uint16_t>(i));
      logit += (id % 7 - 3.0) * double{value};
    }
    rows.labels.push_back(rng.chance(1 / (1 + std::exp(-logit))) ? 1.0F : 0.0F);
    rows.weights.push_back(static_cast<float>(0.5 + rng.uniform()));
    rows.ends.push_back(static_cast<std::uint32_t>(rows.features.size()));
  }
  return rows;
}

std::unique_ptr<Model> make(const ModelOptions& options) {
  auto model = make_model(options);
  EXPECT_TRUE(model.ok()) << model.error().message;
  return std::move(model).value();
}

double setting(const Model& model, std::string_view name) {
  for (const auto& [key, value] : model.options().settings) {
    if (key == name) return value;
  }
  ADD_FAILURE() << name;
  return 0;
}

double sigmoid(double x) { return 1 / (1 + std::exp(-x)); }

// A linear twin: weights by hash, the bias under no hash; `step` is the rule's formula.
struct PlainLinear {
  struct Weight {
    double w = 0, a = 0, b = 0;
  };
  using Step = std::function<void(Weight&, double gradient, double row_weight)>;
  Step step;
  std::function<void()> begin = [] {};
  std::map<std::uint64_t, Weight> weights;
  static constexpr std::uint64_t kBias = 1ULL << 40;

  double learn(Row row, double label, double row_weight) {
    double logit = weights[kBias].w;
    for (const Feature& f : row) logit += weights[f.hash].w * double{f.value};
    const double p = sigmoid(logit);
    begin();
    for (const Feature& f : row) step(weights[f.hash], (p - label) * double{f.value}, row_weight);
    step(weights[kBias], p - label, row_weight);
    return p;
  }
};

void expect_agrees(const ModelOptions& options, PlainLinear twin, double tolerance) {
  const auto model = make(options);
  const Examples rows = rows_of(3000, 1);
  std::vector<float> before(rows.size());
  model->learn(rows, before);
  for (std::size_t r = 0; r < rows.size(); ++r) {
    const double p = twin.learn(rows.row(r), double{rows.labels[r]}, double{rows.weight(r)});
    ASSERT_NEAR(double{before[r]}, p, tolerance) << options.kind << " row " << r;
  }
}

TEST(Kernels, FtrlAgreesWithTheAlgorithmOfThePaper) {
  for (const double l1 : {0.0, 0.5}) {
    const double alpha = 0.2, beta = 1, l2 = 0.1;
    PlainLinear twin;
    twin.step = [=](PlainLinear::Weight& c, double g, double weight) {
      const double n = c.b + weight * g * g;
      const double sigma = (std::sqrt(n) - std::sqrt(c.b)) / alpha;
      c.a += weight * g - sigma * c.w;
      c.b = n;
      const double sign = c.a < 0 ? -1 : 1;
      c.w = std::abs(c.a) <= l1 ? 0 : -(c.a - sign * l1) / ((beta + std::sqrt(n)) / alpha + l2);
    };
    expect_agrees({.kind = "ftrl",
                   .bits = 10,
                   .settings = {{"alpha", alpha}, {"beta", beta}, {"l1", l1}, {"l2", l2}}},
                  twin, 2e-4);
  }
}

TEST(Kernels, SgdAgreesWithItsTwin) {
  double rows = 0;
  PlainLinear twin;
  twin.begin = [&] { rows += 1; };
  twin.step = [&](PlainLinear::Weight& c, double g, double weight) {
    c.w -= 0.3 / std::sqrt(rows) * weight * (g + 0.01 * c.w);
  };
  expect_agrees({.kind = "sgd",
                 .bits = 10,
                 .settings = {{"learning_rate", 0.3}, {"power", 0.5}, {"l2", 0.01}}},
                twin, 1e-4);
}

TEST(Kernels, AdagradAgreesWithItsTwin) {
  PlainLinear twin;
  twin.step = [](PlainLinear::Weight& c, double g, double weight) {
    c.a += weight * g * g;
    c.w -= 0.1 * weight * g / std::sqrt(1 + c.a);
  };
  expect_agrees({.kind = "adagrad", .bits = 10, .settings = {{"learning_rate", 0.1}}}, twin, 1e-4);
}

TEST(Kernels, AdamAgreesWithItsTwin) {
  double t = 0;
  PlainLinear twin;
  twin.begin = [&] { t += 1; };
  twin.step = [&](PlainLinear::Weight& c, double g, double weight) {
    c.a = 0.9 * c.a + 0.1 * g * weight;
    c.b = 0.999 * c.b + 0.001 * g * weight * g * weight;
    const double rate = 0.01 * std::sqrt(1 - std::pow(0.999, t)) / (1 - std::pow(0.9, t));
    c.w -= rate * c.a / (std::sqrt(c.b) + 1e-8);
  };
  expect_agrees({.kind = "adam", .bits = 10, .settings = {{"learning_rate", 0.01}}}, twin, 5e-4);
}

TEST(Kernels, LeastSquaresFindTheLineWhateverTheUnits) {
  for (const double unit : {1.0, 1000.0}) {
    const auto model = make({.kind = "linear", .bits = 10});
    Rng rng(3);
    Examples rows;
    for (std::size_t r = 0; r < 20'000; ++r) {
      const double x = rng.normal(), y = rng.uniform();
      rows.features.push_back({1, static_cast<float>(x)});
      rows.features.push_back({2, static_cast<float>(y * unit)});
      rows.fields.insert(rows.fields.end(), {0, 1});
      rows.labels.push_back(static_cast<float>(unit * (3 + 2 * x - 5 * y)));
      rows.ends.push_back(static_cast<std::uint32_t>(rows.features.size()));
    }
    std::vector<float> before(rows.size());
    for (int pass = 0; pass < 3; ++pass) model->learn(rows, before);
    EXPECT_NEAR(model->bias() / unit, 3, 0.1);
    EXPECT_NEAR(double{model->parts(rows.row(0), rows.fields_of(0))[0]},
                2 * unit * double{rows.features[0].value}, 0.1 * unit);
  }
}

// The factorisation machine in doubles, one feature at a time.
struct PlainFm {
  struct Entry {
    double w = 0, w_squares = 0, v_squares = 0;
    std::vector<double> v;
  };
  std::size_t k;
  double rate, vector_rate, l2, bias_rate, half_width;
  double bias = 0, bias_squares = 0;
  std::map<std::uint32_t, Entry> features;

  explicit PlainFm(const Model& fm)
      : k(static_cast<std::size_t>(setting(fm, "k"))),
        rate(setting(fm, "learning_rate")),
        vector_rate(setting(fm, "vector_rate")),
        l2(setting(fm, "vector_l2")),
        bias_rate(setting(fm, "bias_rate")),
        half_width(setting(fm, "deviation") * std::sqrt(3.0)) {}

  void start(std::uint32_t hash) {
    Entry& f = features[hash];
    if (!f.v.empty()) return;
    Rng rng(mix64(kSeed, hash));
    std::uint64_t bits = 0;
    for (std::size_t i = 0; i < k; ++i, bits >>= 16) {
      if (i % 4 == 0) bits = rng.next();
      f.v.push_back(half_width * ((static_cast<double>(bits & 0xffff) + 0.5) / 32768 - 1));
    }
  }
  double logit(Row row) {
    double sum = bias;
    for (std::size_t i = 0; i < row.size(); ++i) {
      const Entry& a = features[row[i].hash];
      sum += a.w * double{row[i].value};
      for (std::size_t j = i + 1; j < row.size(); ++j) {
        const Entry& b = features[row[j].hash];
        for (std::size_t f = 0; f < k; ++f) {
          sum += a.v[f] * b.v[f] * double{row[i].value} * double{row[j].value};
        }
      }
    }
    return sum;
  }
  // d loss / d v of the i-th feature of the row, as if no other were the same id.
  std::vector<double> slope(Row row, std::size_t i, double error) {
    std::vector<double> q(k);
    const Entry& a = features[row[i].hash];
    for (std::size_t f = 0; f < k; ++f) {
      for (const Feature& other : row) q[f] += features[other.hash].v[f] * double{other.value};
      q[f] = error * double{row[i].value} * (q[f] - a.v[f] * double{row[i].value});
    }
    return q;
  }
  double learn(Row row, double label, double weight) {
    for (const Feature& f : row) start(f.hash);
    const double p = sigmoid(logit(row)), error = p - label;
    std::vector<double> sums(k);
    for (const Feature& f : row) {
      for (std::size_t i = 0; i < k; ++i) sums[i] += features[f.hash].v[i] * double{f.value};
    }
    for (const Feature& f : row) step(features[f.hash], double{f.value}, sums, error, weight);
    bias_squares += weight * error * error;
    bias -= bias_rate * weight * error / std::sqrt(1 + bias_squares);
    return p;
  }
  void step(Entry& a, double x, std::span<const double> sums, double error, double weight) {
    a.w_squares += weight * error * x * error * x;
    a.w -= rate * weight * error * x / std::sqrt(1 + a.w_squares);
    std::vector<double> q(k);
    double squares = 0;
    for (std::size_t i = 0; i < k; ++i) {
      q[i] = error * x * (sums[i] - a.v[i] * x) + l2 * a.v[i];
      squares += q[i] * q[i];
    }
    a.v_squares += weight * squares / static_cast<double>(k);
    for (std::size_t i = 0; i < k; ++i) {
      a.v[i] -= vector_rate * weight * q[i] / std::sqrt(1 + a.v_squares);
    }
  }
};

TEST(Kernels, TheFactorisationMachineAgreesWithItsTwin) {
  for (const double k : {3.0, 8.0, 16.0, 20.0, 64.0}) {
    const auto model = make({.kind = "fm",
                             .bits = 10,
                             .seed = kSeed,
                             .settings = {{"k", k}, {"deviation", 0.1}, {"vector_rate", 0.05}}});
    PlainFm twin(*model);
    const Examples rows = rows_of(2000, 2);
    std::vector<float> before(rows.size());
    model->learn(rows, before);
    for (std::size_t r = 0; r < rows.size(); ++r) {
      const double p = twin.learn(rows.row(r), double{rows.labels[r]}, double{rows.weight(r)});
      ASSERT_NEAR(double{before[r]}, p, 5e-4) << "k " << k << " row " << r;
    }
  }
}

TEST(Kernels, GradientsOfTheFactorisationMachineAreThoseOfItsLoss) {
  const auto model = make({.kind = "fm", .seed = kSeed, .settings = {{"deviation", 0.3}}});
  PlainFm twin(*model);
  const std::vector<Feature> row{{4, 1}, {8, -0.5F}, {12, 2}, {16, 1}};
  for (const Feature& f : row) twin.start(f.hash);
  const double label = 1, error = sigmoid(twin.logit(row)) - label, h = 1e-5;
  const auto loss = [&] { return -std::log(sigmoid(twin.logit(row))); };
  const auto slope_of = [&](double& number) {
    const double kept = number;
    number = kept + h;
    const double above = loss();
    number = kept - h;
    const double below = loss();
    number = kept;
    return (above - below) / (2 * h);
  };
  for (std::size_t i = 0; i < row.size(); ++i) {
    PlainFm::Entry& f = twin.features[row[i].hash];
    const double g = error * double{row[i].value};
    EXPECT_NEAR(slope_of(f.w), g, 1e-5 * std::abs(g));
    const auto q = twin.slope(row, i, error);
    for (std::size_t n = 0; n < q.size(); ++n) {
      EXPECT_NEAR(slope_of(f.v[n]), q[n], 1e-5 * std::max(std::abs(q[n]), 1e-4));
    }
  }
  EXPECT_NEAR(slope_of(twin.bias), error, 1e-5 * std::abs(error));
}

TEST(Kernels, ARowThatIsThereTwiceIsSeenWhereverItIs) {
  std::vector<float> table(8 * 8);
  std::array<float*, 8> rows;
  const auto begin = [&] {
    for (std::size_t k = 0; k < 8; ++k) rows[k] = &table[8 * k];
  };
  begin();
  for (const bool has_conflict : {false, kHasConflict}) {
    EXPECT_FALSE(has_twice(rows.data(), has_conflict));
    for (std::size_t a = 0; a < 8; ++a) {
      for (std::size_t b = a + 1; b < 8; ++b) {
        rows[b] = rows[a];
        EXPECT_TRUE(has_twice(rows.data(), has_conflict)) << a << " " << b << " " << has_conflict;
        begin();
      }
    }
  }
}

TEST(Kernels, AValueThatIsNotAllowedIsSeenWhereverItIs) {
  const float most = kMaxFeatureValue;
  for (std::size_t size = 0; size <= 13; ++size) {
    std::vector<Feature> row(size, Feature{0xffffffff, -most});
    EXPECT_TRUE(are_allowed(row)) << size;
    for (Feature& f : row) {
      for (const float value : {std::nextafter(most, INFINITY), -2 * most, INFINITY, -INFINITY,
                                std::numeric_limits<float>::quiet_NaN(), -NAN}) {
        f.value = value;
        EXPECT_FALSE(are_allowed(row)) << size << " " << value;
      }
      f.value = -0.0F;
      EXPECT_TRUE(are_allowed(row)) << size;
    }
  }
}

}  // namespace
}  // namespace attune
