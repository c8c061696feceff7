// The joint loss and its parts: slopes against finite differences of plain twins in doubles.
#include "model/joint_loss.h"

#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <map>

#include "base/rng.h"
#include "model/feature_table.h"
#include "model/further_heads.h"

namespace attune {
namespace {

using Numbers = std::vector<double>;

// Numbers as they are, and as floats.
struct Batch {
  std::size_t heads = 3, rows = 9;
  std::vector<float> logits, labels, weights;
  HeadBatch view() const { return {heads, rows, logits, labels, weights}; }
};

// One head without a 1 among its labels, labels that are not known, a row that teaches nothing.
Batch random_batch() {
  Batch batch;
  Rng rng(4);
  for (std::size_t i = 0; i < batch.heads * batch.rows; ++i) {
    batch.logits.push_back(static_cast<float>(2 * rng.normal()));
    const float label = rng.chance(0.4) && i / batch.rows != 2 ? 1.0F : 0.0F;
    batch.labels.push_back(rng.chance(0.2) ? NAN : label);
  }
  for (std::size_t r = 0; r < batch.rows; ++r) {
    batch.weights.push_back(r == 5 ? 0 : static_cast<float>(0.5 + rng.uniform()));
  }
  return batch;
}

double log_loss(double z, double label) {
  const double p = 1 / (1 + std::exp(-z));
  return -label * std::log(p) - (1 - label) * std::log(1 - p);
}

double twin_of_tasks(const Batch& b, const Numbers& z, const Numbers& task_weights) {
  double loss = 0;
  for (std::size_t i = 0; i < z.size(); ++i) {
    if (std::isnan(b.labels[i])) continue;
    loss += task_weights[i / b.rows] * double{b.weights[i % b.rows]} *
            log_loss(z[i], double{b.labels[i]});
  }
  return loss;
}

double twin_of_pairs(const Batch& b, const Numbers& z) {
  double loss = 0;
  for (std::size_t h = 0; h < b.heads; ++h) {
    double zeros = 0;
    for (std::size_t r = 0; r < b.rows; ++r) {
      if (b.labels[h * b.rows + r] == 0) zeros += double{b.weights[r]};
    }
    for (std::size_t one = 0; one < b.rows; ++one) {
      for (std::size_t zero = 0; zero < b.rows; ++zero) {
        const std::size_t i = h * b.rows + one, j = h * b.rows + zero;
        if (b.labels[i] != 1 || b.labels[j] != 0) continue;
        loss += double{b.weights[one]} * double{b.weights[zero]} / zeros *
                std::log(1 + std::exp(z[j] - z[i]));
      }
    }
  }
  return loss;
}

double slope_of(Numbers& z, std::size_t i, const std::function<double(const Numbers&)>& of) {
  const double step = 1e-6, at = z[i];
  z[i] = at + step;
  const double above = of(z);
  z[i] = at - step;
  const double below = of(z);
  z[i] = at;
  return (above - below) / (2 * step);
}

void expect_slopes(const std::vector<float>& got, Numbers z,
                   const std::function<double(const Numbers&)>& twin) {
  double apart = 0, size = 0;
  for (std::size_t i = 0; i < z.size(); ++i) {
    const double wanted = slope_of(z, i, twin);
    apart += (double{got[i]} - wanted) * (double{got[i]} - wanted);
    size += wanted * wanted;
  }
  EXPECT_GT(size, 0.1);
  EXPECT_LT(std::sqrt(apart / size), 1e-5);
}

TEST(JointLoss, SlopesAndPartsAgreeWithTheTwin) {
  const Batch batch = random_batch();
  ModelOptions options;
  options.tasks = {{"click", 1}, {"like", 0.5}, {"purchase", 3}};
  options.second_loss = {"pairs", 0.7};
  JointLoss loss(options);
  std::vector<float> slopes(batch.logits.size(), 9);
  loss.take(batch.view(), slopes);
  const Numbers z(batch.logits.begin(), batch.logits.end());
  const Numbers weights{1, 0.5, 3};
  expect_slopes(slopes, z, [&](const Numbers& at) {
    return twin_of_tasks(batch, at, weights) + 0.7 * twin_of_pairs(batch, at);
  });
  const JointParts& parts = loss.parts();
  EXPECT_NEAR(parts.tasks[0].sum + 0.5 * parts.tasks[1].sum + 3 * parts.tasks[2].sum,
              twin_of_tasks(batch, z, weights), 1e-9);
  ASSERT_TRUE(parts.second.has_value());
  EXPECT_NEAR(parts.second->sum, twin_of_pairs(batch, z), 1e-9);
  EXPECT_EQ(parts.tasks[1].name, "like");
}

TEST(JointLoss, ARowThatTeachesNothingAndAnUnknownLabelHaveNoSlope) {
  const Batch batch = random_batch();
  ModelOptions options;
  options.tasks = {{"a"}, {"b"}, {"c"}};
  options.second_loss = {"pairs", 1};
  JointLoss loss(options);
  std::vector<float> slopes(batch.logits.size());
  loss.take(batch.view(), slopes);
  for (std::size_t i = 0; i < slopes.size(); ++i) {
    if (std::isnan(batch.labels[i]) || i % batch.rows == 5) {
      EXPECT_EQ(slopes[i], 0);
    } else {
      EXPECT_NE(slopes[i], 0);
    }
  }
}

TEST(JointLoss, PairsPushTheRowWithTheLabelUp) {
  const std::vector<float> logits{0, 0}, labels{1, 0}, weights{1, 1};
  std::vector<float> slopes(2);
  const SecondLoss::Value value = PairLoss().add({1, 2, logits, labels, weights}, 1, slopes);
  EXPECT_NEAR(value.sum, std::log(2), 1e-12);
  EXPECT_EQ(value.rows, 1);
  EXPECT_FLOAT_EQ(slopes[0], -0.5F);
  EXPECT_FLOAT_EQ(slopes[1], 0.5F);
}

// One further head over a table of a few ids: what the formulas say, in doubles. Ids come twice in
// a row, and more than eight of them.
class HeadTwin {
 public:
  double logit(const std::vector<Feature>& row, Numbers& rates) {
    const double p = (ones + 1) / (rows + 2);
    double z = bias;
    rates.clear();
    for (const Feature& f : row) {
      const Id& id = ids[f.hash];
      const double rate =
          std::log((id.ones + 10 * p) / (id.rows - id.ones + 10 * (1 - p))) - std::log(p / (1 - p));
      z += id.w * double{f.value} + s * rate;
      rates.push_back(rate);
    }
    return z;
  }
  void step(const std::vector<Feature>& row, double error, double weight, double label) {
    for (const Feature& f : row) {
      Id& id = ids[f.hash];
      const double gradient = error * double{f.value};
      id.squares += weight * gradient * gradient;
      id.w -= 0.05 * weight * gradient / std::sqrt(1 + id.squares);
      id.rows += weight;
      id.ones += weight * label;
    }
    squares += weight * error * error;
    bias -= 0.03 * weight * error / std::sqrt(1 + squares);
    rows += weight;
    ones += weight * label;
  }
  struct Id {
    double w = 0, squares = 0, rows = 0, ones = 0;
  };
  std::map<std::uint32_t, Id> ids;
  double bias = 0, squares = 0, rows = 0, ones = 0, s = 0.3;
};

TEST(FurtherHeads, AgreeWithTheirTwin) {
  constexpr std::size_t kBegin = 8;
  ModelOptions options{.bits = 12};
  FeatureTable table(options, kBegin + FurtherHeads::floats(3));
  FurtherHeads heads(3, 3, kBegin, {0.05F, 0.03F, true});
  std::fill(heads.rate_weights()->w.begin(), heads.rate_weights()->w.end(), 0.3F);
  std::array<HeadTwin, 2> twins;
  FieldBatch batch;
  batch.fields = 3;
  batch.chunks = 1;
  batch.heads = 3;
  Rng rng(8);
  FoundRows found;
  std::vector<float> rates;
  Numbers twin_rates;
  for (int r = 0; r < 200; ++r) {
    std::vector<Feature> row;
    for (int i = 0; i < 11; ++i) {
      row.push_back(
          {static_cast<std::uint32_t>(rng.below(20)), static_cast<float>(0.5 + rng.uniform())});
    }
    const std::vector<std::uint16_t> fields(11, 1);
    ASSERT_TRUE(table.take(row, found));
    table.pad(found);
    batch.begin(1);
    heads.add_logits(found, fields, rates, batch, 0);
    const float weight = static_cast<float>(0.5 + rng.uniform());
    const std::vector<float> labels{1, rng.chance(0.3) ? 1.0F : 0.0F, r % 3 == 0 ? NAN : 1.0F};
    for (std::size_t h = 0; h < 2; ++h) {
      const double z = twins[h].logit(row, twin_rates);
      ASSERT_NEAR(double{batch.logits_of(h + 1)[0]}, z, 2e-4 * (1 + std::fabs(z))) << r;
      if (std::isnan(labels[h + 1])) continue;
      const double error = 1 / (1 + std::exp(-z)) - double{labels[h + 1]};
      batch.errors[h + 1] = static_cast<float>(error) * weight;
      twins[h].step(row, error, double{weight}, double{labels[h + 1]});
    }
    heads.step(found, fields, rates, batch, {0, weight, labels});
  }
}

}  // namespace
}  // namespace attune
