// FieldModel against a plain twin in doubles that follows the formulas word by word.
#include "model/field_model.h"

#include <gtest/gtest.h>

#include <cmath>
#include <map>

#include "model/bfloat16.h"
#include "model/start_vector.h"

namespace attune {
namespace {

constexpr std::size_t kFields = 4, kBatch = 8;
constexpr std::uint64_t kSeed = 9;

// Rows of up to 8 features of 40 ids, some twice in a row, with weights and values of either sign.
Examples rows_of(std::size_t n) {
  Rng rng(1);
  Examples rows;
  for (std::size_t r = 0; r < n; ++r) {
    const std::size_t width = rng.below(9);
    double logit = -0.5;
    for (std::size_t i = 0; i < width; ++i) {
      const auto id = static_cast<std::uint32_t>(rng.below(40));
      const float value = id % 4 == 0 ? static_cast<float>(rng.normal()) : 1.0F;
      rows.features.push_back({id * 8, value});
      rows.fields.push_back(static_cast<std::uint16_t>(id % kFields));
      logit += (id % 7 - 3.0) * double{value} * 0.5;
    }
    rows.labels.push_back(rng.chance(1 / (1 + std::exp(-logit))) ? 1.0F : 0.0F);
    rows.weights.push_back(static_cast<float>(0.5 + rng.uniform()));
    rows.ends.push_back(static_cast<std::uint32_t>(rows.features.size()));
  }
  return rows;
}

// FwFM or FFM with k numbers (for each field), one accumulator per `piece` numbers of a vector.
class Twin {
  using Numbers = std::vector<double>;
  using Matrix = std::vector<Numbers>;

 public:
  Twin(bool is_aware, std::size_t k, std::size_t piece)
      : is_aware_(is_aware), k_(k), piece_(piece), pairs_(kFields, Numbers(kFields, 0.2)) {}

  // A sixteenth of what was seen, and no more than a batch.
  std::size_t step_rows() const {
    return std::min<std::size_t>(kBatch, static_cast<std::size_t>(std::max(1.0, rows_ / 16)));
  }

  // The predictions of a batch, which is then learned from.
  Numbers learn(const Examples& rows, std::size_t begin, std::size_t end) {
    std::vector<Row> batch;
    Numbers predicted;
    for (std::size_t r = begin; r < end; ++r) batch.push_back(look(rows, r));
    for (const Row& row : batch) predicted.push_back(1 / (1 + std::exp(-row.logit)));
    Matrix pair_slopes(kFields, Numbers(kFields));
    Numbers rate_slopes(kFields);
    for (std::size_t i = 0; i < batch.size(); ++i) {
      const double label = double{rows.labels[begin + i]}, weight = double{rows.weight(begin + i)};
      step(batch[i], predicted[i] - label, weight, label, pair_slopes, rate_slopes);
    }
    const auto count = static_cast<double>(batch.size());
    ++t_;
    for (std::size_t f = 0; f < kFields; ++f) {
      adam(rate_weights_[f], rate_moments_[f], rate_slopes[f] / count, 1e-3);
      for (std::size_t h = 0; h < kFields; ++h) {
        if (f != h) adam(pairs_[f][h], moments_[f * kFields + h], pair_slopes[f][h] / count, 2e-3);
      }
    }
    return predicted;
  }

 private:
  struct Id {
    double w = 0, squares = 0, n = 0, ones = 0;
    Numbers v, v_squares;
  };
  struct Use {
    std::uint32_t hash;
    std::size_t field;
    double x, rate;
  };
  struct Row {
    std::vector<Use> uses;
    Matrix sums;  // V_f, or S_f
    double logit = 0;
  };

  Id& id(std::uint32_t hash) {
    Id& found = ids_[hash];
    if (!found.v.empty()) return found;
    const std::size_t size = is_aware_ ? kFieldsPadded * k_ : k_;
    std::vector<float> start(size);
    start_vector(start.data(), size, 0.05F, kSeed, hash);
    found.v.assign(start.begin(), start.end());
    found.v_squares.assign((size + piece_ - 1) / piece_, 0);
    return found;
  }

  Row look(const Examples& rows, std::size_t r) {
    Row out;
    const double p = (ones_ + 1) / (rows_ + 2);
    out.sums.assign(kFields, Numbers(is_aware_ ? kFieldsPadded * k_ : k_));
    out.logit = bias_;
    for (std::size_t i = 0; i < rows.row(r).size(); ++i) {
      const Feature& f = rows.row(r)[i];
      Id& found = id(f.hash);
      const double rate = std::log((found.ones + 10 * p) / (found.n - found.ones + 10 * (1 - p))) -
                          std::log(p / (1 - p));
      const Use use{f.hash, rows.fields_of(r)[i], double{f.value}, rate};
      out.logit += found.w * use.x + rate_weights_[use.field] * rate;
      for (std::size_t k = 0; k < found.v.size(); ++k) out.sums[use.field][k] += use.x * found.v[k];
      out.uses.push_back(use);
    }
    for (std::size_t f = 0; f < kFields; ++f) {
      for (std::size_t h = 0; h < f; ++h) out.logit += weight(f, h) * meet(out, f, h);
    }
    return out;
  }

  double weight(std::size_t f, std::size_t h) const { return is_aware_ ? 1 : pairs_[f][h]; }
  double meet(const Row& row, std::size_t f, std::size_t h) const {
    double sum = 0;
    for (std::size_t k = 0; k < k_; ++k) {
      sum += is_aware_ ? row.sums[f][h * k_ + k] * row.sums[h][f * k_ + k]
                       : row.sums[f][k] * row.sums[h][k];
    }
    return sum;
  }
  // d logit / d sums of field f.
  Numbers slope(const Row& row, std::size_t f) const {
    Numbers out(row.sums[f].size());
    for (std::size_t h = 0; h < kFields; ++h) {
      if (h == f) continue;
      for (std::size_t k = 0; k < k_; ++k) {
        if (is_aware_) {
          out[h * k_ + k] += row.sums[h][f * k_ + k];
        } else {
          out[k] += pairs_[f][h] * row.sums[h][k];
        }
      }
    }
    return out;
  }

  void step(const Row& row, double error, double weight, double label, Matrix& pair_slopes,
            Numbers& rate_slopes) {
    for (std::size_t f = 0; f < kFields; ++f) {
      for (std::size_t h = 0; h < kFields; ++h) {
        if (f != h) pair_slopes[f][h] += error * weight * meet(row, f, h);
      }
    }
    for (const Use& use : row.uses) rate_slopes[use.field] += error * weight * use.rate;
    for (const Use& use : row.uses) {
      Id& id = ids_[use.hash];
      const double g = error * use.x;
      id.squares += weight * g * g;
      id.w -= 0.05 * weight * g / std::sqrt(1 + id.squares);
      const Numbers of_sum = slope(row, use.field);
      for (std::size_t begin = 0; begin < id.v.size(); begin += piece_) {
        const std::size_t end = std::min(id.v.size(), begin + piece_);
        double squares = 0;
        for (std::size_t k = begin; k < end; ++k) {
          squares += std::pow(g * of_sum[k] + 1e-3 * id.v[k], 2);
        }
        double& all = id.v_squares[begin / piece_];
        all += weight * squares / static_cast<double>(piece_);
        for (std::size_t k = begin; k < end; ++k) {
          id.v[k] -= 0.08 * weight * (g * of_sum[k] + 1e-3 * id.v[k]) / std::sqrt(1 + all);
        }
      }
      if (use.x == 0) continue;
      id.n += weight;
      id.ones += weight * label;
    }
    bias_squares_ += weight * error * error;
    bias_ -= 0.05 * weight * error / std::sqrt(1 + bias_squares_);
    rows_ += weight;
    ones_ += weight * label;
  }

  struct Moments {
    double mean = 0, square = 0;
  };
  void adam(double& w, Moments& m, double g, double rate) const {
    m.mean = 0.9 * m.mean + 0.1 * g;
    m.square = 0.999 * m.square + 0.001 * g * g;
    const double unbiased = std::sqrt(1 - std::pow(0.999, t_));
    w -= rate * unbiased / (1 - std::pow(0.9, t_)) * m.mean /
         (std::sqrt(m.square) + 1e-8 * unbiased);
  }

  static constexpr std::size_t kFieldsPadded = 6;
  const bool is_aware_;
  const std::size_t k_, piece_;
  Matrix pairs_;
  Numbers rate_weights_ = Numbers(kFields);
  std::map<std::size_t, Moments> moments_, rate_moments_;
  std::map<std::uint32_t, Id> ids_;
  double bias_ = 0, bias_squares_ = 0, rows_ = 0, ones_ = 0;
  int t_ = 0;
};

void expect_agrees(const ModelOptions& options, Twin twin) {
  const auto model = make_model(options);
  ASSERT_TRUE(model.ok()) << model.error().message;
  const Examples rows = rows_of(2400);
  std::vector<float> before(rows.size());
  (*model)->learn(rows, before);
  for (std::size_t begin = 0; begin < rows.size();) {
    const std::size_t end = std::min(rows.size(), begin + twin.step_rows());
    const auto predicted = twin.learn(rows, begin, end);
    for (std::size_t i = 0; i < predicted.size(); ++i) {
      ASSERT_NEAR(double{before[begin + i]}, predicted[i], 3e-4) << "row " << begin + i;
    }
    begin = end;
  }
}

ModelOptions options_of(const char* kind, double k) {
  return {.kind = kind,
          .bits = 10,
          .seed = kSeed,
          .inputs = kFields,
          .settings = {{"k", k},
                       {"learning_rate", 0.05},
                       {"bias_rate", 0.05},
                       {"deviation", 0.05},
                       {"vector_rate", 0.08},
                       {"vector_l2", 1e-3},
                       {"batch", kBatch}}};
}

TEST(FieldModel, FwfmAgreesWithItsTwin) {
  for (const std::size_t k : {8U, 16U}) {
    expect_agrees(options_of("fwfm", static_cast<double>(k)), Twin(false, k, k));
  }
}

// 6 fields (rounded up) of 4 numbers: 24, in pieces of 16 of which the second is half empty.
TEST(FieldModel, FfmAgreesWithItsTwin) { expect_agrees(options_of("ffm", 4), Twin(true, 4, 16)); }

TEST(FieldModel, AFieldBeyondTheLastCountsAsTheLast) {
  auto last = make_model(options_of("fwfm", 8)), beyond = make_model(options_of("fwfm", 8));
  Examples rows = rows_of(500);
  std::vector<float> a(rows.size()), b(rows.size());
  (*last)->learn(rows, a);
  for (std::uint16_t& field : rows.fields) {
    if (field == kFields - 1) field = 60'000;
  }
  (*beyond)->learn(rows, b);
  EXPECT_EQ(a, b);
}

// What a model of these kinds says of rows before it learns from them.
std::vector<float> said_before(const std::string& kind, double rounding, const Examples& rows) {
  ModelOptions options{.kind = kind, .bits = 10, .seed = kSeed, .inputs = kFields};
  options.settings = {{"bfloat16", rounding}};
  if (kind == "mlp") options.settings.emplace_back("k", 8);
  std::vector<float> before(rows.size());
  make_model(options).value()->learn(rows, before);
  return before;
}

double log_loss(const std::vector<float>& p, const Examples& rows) {
  double sum = 0;
  for (std::size_t r = 0; r < p.size(); ++r) {
    sum -= std::log(double{rows.labels[r] > 0.5F ? p[r] : 1 - p[r]});
  }
  return sum / static_cast<double>(p.size());
}

// Rounding moves predictions a little, where the processor rounds, and the loss by less.
TEST(FieldModel, KindsOfBfloat16LearnWhatThoseOfFloatsLearn) {
  const Examples rows = rows_of(20'000);
  for (const char* kind : {"fwfm", "wide_deep", "deepfm", "dcnv2", "finalmlp", "mlp"}) {
    const std::vector<float> floats = said_before(kind, 0, rows), half = said_before(kind, 1, rows);
    double apart = 0;
    for (std::size_t r = 0; r < rows.size(); ++r) apart += std::abs(double{floats[r] - half[r]});
    apart /= static_cast<double>(rows.size());
    EXPECT_EQ(apart > 0, has_bfloat16()) << kind;
    EXPECT_LT(apart, 0.01) << kind;
    EXPECT_NEAR(log_loss(half, rows), log_loss(floats, rows), 1e-3) << kind;
  }
}

}  // namespace
}  // namespace attune
