// Interactions against plain twins in doubles: their logits, and their gradients against finite
// differences of the twins.
#include <gtest/gtest.h>

#include <cmath>
#include <functional>

#include "base/rng.h"
#include "model/field_pairs.h"
#include "model/head_pairs.h"
#include "model/test_twin.h"
#include "model/tower.h"
#include "model/two_streams.h"

namespace attune {
namespace {

constexpr std::size_t kFields = 6, kUsed = 5, kRows = 7;

// The logit of one row: weights in the order of Interaction::weights(), vectors by field.
using Twin = std::function<double(const std::vector<Numbers>& weights, const Numbers& vectors)>;
// Of a head.
using HeadTwin =
    std::function<double(const std::vector<Numbers>& weights, const Numbers& vectors, std::size_t)>;

FieldBatch random_batch(std::size_t chunks, std::size_t numbers, std::size_t heads = 1) {
  Rng rng(11);
  FieldBatch batch;
  batch.heads = heads;
  batch.fields = kFields;
  batch.chunks = chunks;
  batch.begin(kRows);
  batch.begin_slopes();
  auto* const at = reinterpret_cast<float*>(batch.vectors.data());
  for (std::size_t i = 0; i < kRows * kFields; ++i) {
    if (i % kFields >= kUsed) continue;
    for (std::size_t k = 0; k < numbers; ++k) {
      at[i * chunks * 8 + k] = static_cast<float>(rng.normal());
    }
  }
  for (float& error : batch.errors) error = static_cast<float>(rng.normal());
  return batch;
}

Numbers vectors_of(const FieldBatch& batch, std::size_t row) {
  const auto* const at = reinterpret_cast<const float*>(batch.vectors.data());
  const std::size_t size = batch.row_chunks() * 8;
  return {at + row * size, at + (row + 1) * size};
}

// The sum over heads of error * logit, of row r.
double pushed(const FieldBatch& batch, std::size_t r, const HeadTwin& twin,
              const std::vector<Numbers>& weights, const Numbers& vectors) {
  double sum = 0;
  for (std::size_t h = 0; h < batch.heads; ++h) {
    sum += double{batch.errors_of(h)[r]} * twin(weights, vectors, h);
  }
  return sum;
}

void expect_heads_agree(Interaction& fast, const HeadTwin& twin, FieldBatch batch) {
  std::vector<Numbers> weights;
  for (AdamWeights* const one : fast.weights()) {
    weights.emplace_back(one->w.begin(), one->w.end());
  }
  fast.forward(batch);
  for (std::size_t r = 0; r < kRows; ++r) {
    for (std::size_t h = 0; h < batch.heads; ++h) {
      ASSERT_NEAR(double{batch.logits_of(h)[r]}, twin(weights, vectors_of(batch, r), h), 1e-4);
    }
  }
  fast.backward(batch);
  const auto* const slopes = reinterpret_cast<const float*>(batch.slopes.data());
  const std::size_t size = batch.row_chunks() * 8;
  for (std::size_t r = 0; r < kRows; ++r) {
    Numbers vectors = vectors_of(batch, r), got, wanted;
    for (std::size_t i = 0; i < size; ++i) {
      if (vectors[i] == 0) continue;
      got.push_back(double{slopes[r * size + i]});
      wanted.push_back(
          slope_of(vectors[i], [&] { return pushed(batch, r, twin, weights, vectors); }));
    }
    ASSERT_LT(distance(got, wanted), 1e-5) << "row " << r;
  }
  const auto learned = fast.weights();
  for (std::size_t w = 0; w < learned.size(); ++w) {
    Numbers got, wanted;
    for (std::size_t i = 0; i < weights[w].size(); i += 1 + weights[w].size() / 97) {
      got.push_back(double{learned[w]->gradient[i]});
      wanted.push_back(0);
      for (std::size_t r = 0; r < kRows; ++r) {
        const Numbers vectors = vectors_of(batch, r);
        wanted.back() +=
            slope_of(weights[w][i], [&] { return pushed(batch, r, twin, weights, vectors); });
      }
    }
    ASSERT_LT(distance(got, wanted), 1e-5) << "weights " << w;
  }
}

void expect_agrees(Interaction& fast, const Twin& twin, FieldBatch batch) {
  expect_heads_agree(
      fast,
      [&](const std::vector<Numbers>& w, const Numbers& v, std::size_t) { return twin(w, v); },
      std::move(batch));
}

// The weights of one head where weights number `at` lie side by side for all heads.
std::vector<Numbers> of_head(std::vector<Numbers> weights, const std::vector<std::size_t>& at,
                             std::size_t head, std::size_t heads) {
  for (const std::size_t one : at) {
    const std::size_t size = weights[one].size() / heads;
    weights[one] = Numbers(weights[one].begin() + static_cast<long>(head * size),
                           weights[one].begin() + static_cast<long>((head + 1) * size));
  }
  return weights;
}

double tower_twin(const std::vector<Numbers>& weights, const Numbers& vectors) {
  Numbers x = vectors;
  for (std::size_t w = 1; w < weights.size(); w += 2) {
    x = dense(x, weights[w], weights[w + 1]);
    for (double& number : x) number = std::max(number, 0.0);
  }
  return product(x.data(), weights[0].data(), x.size());
}

double cross_twin(const std::vector<Numbers>& weights, const Numbers& first) {
  Numbers x = first;
  for (std::size_t w = 1; w < weights.size(); w += 3) {
    const Numbers narrow = dense(x, weights[w], Numbers(weights[w].size() / x.size()));
    const Numbers wide = dense(narrow, weights[w + 1], weights[w + 2]);
    for (std::size_t i = 0; i < x.size(); ++i) x[i] += first[i] * wide[i];
  }
  return product(x.data(), weights[0].data(), x.size());
}

Numbers layers_twin(Numbers x, const std::vector<Numbers>& weights, std::size_t at,
                    std::size_t layers) {
  for (std::size_t l = 0; l < layers; ++l) {
    x = dense(x, weights[at + 2 * l], weights[at + 2 * l + 1]);
    for (double& number : x) number = std::max(number, 0.0);
  }
  return x;
}

// Weights: W; then of each stream its gate, its last weights, its layers.
double two_streams_twin(const std::vector<Numbers>& weights, const Numbers& vectors,
                        std::size_t blocks) {
  const std::size_t of_stream = (weights.size() - 1) / 2, layers = (of_stream - 2) / 2;
  Numbers top[2];
  double logit = 0;
  for (std::size_t s = 0; s < 2; ++s) {
    const std::size_t at = 1 + s * of_stream;
    Numbers x = vectors;
    for (std::size_t i = 0; i < x.size(); ++i) x[i] *= 2 / (1 + std::exp(-weights[at][i]));
    top[s] = layers_twin(x, weights, at + 2, layers);
    logit += product(top[s].data(), weights[at + 1].data(), top[s].size());
  }
  const std::size_t units = top[0].size(), block = (units + blocks - 1) / blocks;
  for (std::size_t i = 0; i < units; ++i) {
    for (std::size_t j = 0; j < units; ++j) {
      if (i / block != j / block) continue;
      logit += top[0][i] * weights[0][i * block + j % block] * top[1][j];
    }
  }
  return logit;
}

double all_pairs_twin(const Numbers& v, std::size_t size) {
  double logit = 0;
  for (std::size_t f = 0; f < kFields; ++f) {
    for (std::size_t h = 0; h < f; ++h) logit += product(&v[f * size], &v[h * size], size);
  }
  return logit;
}

TEST(Interactions, WeightedPairsAgreeWithTheirTwin) {
  for (const std::size_t chunks : {1U, 2U}) {
    FieldPairs pairs(kFields, kUsed, 0.2F, 1);
    Rng rng(3);
    AdamWeights& weights = *pairs.weights()[0];
    for (std::size_t f = 0; f < kUsed; ++f) {
      for (std::size_t h = 0; h < f; ++h) {
        weights.w[f * kFields + h] = weights.w[h * kFields + f] = static_cast<float>(rng.normal());
      }
    }
    const std::size_t size = chunks * 8;
    // Of half of each of the two equal weights: the kernel gives both the whole slope.
    const Twin twin = [&](const std::vector<Numbers>& w, const Numbers& v) {
      double logit = 0;
      for (std::size_t f = 0; f < kFields; ++f) {
        for (std::size_t h = 0; h < kFields; ++h) {
          if (f != h)
            logit += 0.5 * w[0][f * kFields + h] * product(&v[f * size], &v[h * size], size);
        }
      }
      return logit;
    };
    FieldBatch batch = random_batch(chunks, size);
    for (AdamWeights* const one : pairs.weights()) {
      std::fill(one->gradient.begin(), one->gradient.end(), 0.0F);
    }
    pairs.forward(batch);
    for (std::size_t r = 0; r < kRows; ++r) {
      const Numbers v = vectors_of(batch, r);
      ASSERT_NEAR(double{batch.logits[r]}, twin({Numbers(weights.w.begin(), weights.w.end())}, v),
                  1e-4);
    }
    pairs.backward(batch);
    for (std::size_t f = 0; f < kFields; ++f) {
      for (std::size_t h = 0; h < kFields; ++h) {
        double wanted = 0;
        for (std::size_t r = 0; f != h && r < kRows; ++r) {
          const Numbers v = vectors_of(batch, r);
          wanted += double{batch.errors[r]} * product(&v[f * size], &v[h * size], size);
        }
        ASSERT_NEAR(double{weights.gradient[f * kFields + h]}, wanted, 1e-4);
      }
    }
    const auto* const slopes = reinterpret_cast<const float*>(batch.slopes.data());
    Numbers doubles(weights.w.begin(), weights.w.end());
    for (std::size_t r = 0; r < kRows; ++r) {
      Numbers v = vectors_of(batch, r), got, wanted;
      for (std::size_t i = 0; i < kUsed * size; ++i) {
        got.push_back(double{slopes[r * kFields * size + i]});
        wanted.push_back(double{batch.errors[r]} *
                         slope_of(v[i], [&] { return twin({doubles}, v); }));
      }
      ASSERT_LT(distance(got, wanted), 1e-5);
    }
  }
}

TEST(Interactions, FieldAwarePairsAgreeWithTheirTwin) {
  constexpr std::size_t kK = 4;
  FieldAware pairs(kFields, kK);
  const Twin twin = [](const std::vector<Numbers>&, const Numbers& v) {
    double logit = 0;
    const std::size_t size = v.size() / kFields;
    for (std::size_t f = 0; f < kFields; ++f) {
      for (std::size_t h = 0; h < f; ++h) {
        logit += product(&v[f * size + h * kK], &v[h * size + f * kK], kK);
      }
    }
    return logit;
  };
  expect_agrees(pairs, twin, random_batch(4, kFields * kK));
}

FieldBatch field_aware_batch(std::size_t fields, std::size_t k) {
  FieldBatch batch;
  batch.fields = fields;
  batch.chunks = (fields * k + 15) / 16 * 2;
  batch.begin(kRows);
  batch.begin_slopes();
  return batch;
}

// Of k = 4 fields are turned two by two: the same as k = 8 of which four numbers are 0, for an odd
// number of fields too.
TEST(Interactions, FieldAwarePairsOfFourNumbersAreThoseOfEight) {
  Rng rng(3);
  for (const std::size_t fields : {3U, 6U, 9U, 15U, 39U}) {
    FieldBatch four = field_aware_batch(fields, 4), eight = field_aware_batch(fields, 8);
    const auto number = [](std::vector<Float8>& of, const FieldBatch& in, std::size_t line,
                           std::size_t at) -> float& {
      return reinterpret_cast<float*>(of.data())[line * in.chunks * 8 + at];
    };
    for (std::size_t line = 0; line < kRows * fields; ++line) {
      for (std::size_t i = 0; i < 4 * fields; ++i) {
        number(four.vectors, four, line, i) = number(
            eight.vectors, eight, line, i / 4 * 8 + i % 4) = static_cast<float>(rng.normal());
      }
      four.errors[line / fields] = eight.errors[line / fields] = static_cast<float>(rng.normal());
    }
    FieldAware of_four(fields, 4), of_eight(fields, 8);
    of_four.forward(four);
    of_eight.forward(eight);
    of_four.backward(four);
    of_eight.backward(eight);
    for (std::size_t r = 0; r < kRows; ++r) {
      ASSERT_NEAR(four.logits[r], eight.logits[r], 1e-3);
    }
    for (std::size_t line = 0; line < kRows * fields; ++line) {
      for (std::size_t i = 0; i < 4 * fields; ++i) {
        ASSERT_EQ(number(four.slopes, four, line, i),
                  number(eight.slopes, eight, line, i / 4 * 8 + i % 4));
      }
    }
  }
}

TEST(Interactions, AllPairsAgreeWithTheirTwin) {
  AllPairs pairs(2);
  const Twin twin = [](const std::vector<Numbers>&, const Numbers& v) {
    return all_pairs_twin(v, 16);
  };
  expect_agrees(pairs, twin, random_batch(2, 16));
}

TEST(Interactions, TowersAgreeWithTheirTwin) {
  for (const std::vector<std::size_t>& hidden :
       {std::vector<std::size_t>{9}, std::vector<std::size_t>{16, 5},
        std::vector<std::size_t>{12, 20, 7}}) {
    Tower tower(kFields * 8, hidden, 0, 4);
    expect_agrees(tower, tower_twin, random_batch(1, 8));
  }
}

TEST(Interactions, CrossLayersAgreeWithTheirTwin) {
  for (const std::size_t layers : {1U, 2U, 3U}) {
    Cross cross(kFields * 8, layers, 4, 0, 4);
    expect_agrees(cross, cross_twin, random_batch(1, 8));
  }
}

TEST(Interactions, TwoStreamsAgreeWithTheirTwin) {
  for (const std::size_t blocks : {1U, 2U, 3U, 7U}) {
    for (const std::vector<std::size_t>& hidden :
         {std::vector<std::size_t>{9}, std::vector<std::size_t>{16, 7},
          std::vector<std::size_t>{12, 20, 8}}) {
      TwoStreams streams({kFields * 8, hidden, blocks}, 0, 4);
      Rng rng(6);
      for (const std::size_t gate : {1U, 3U + 2 * static_cast<unsigned>(hidden.size())}) {
        for (float& g : streams.weights()[gate]->w) g = static_cast<float>(rng.normal());
      }
      const Twin twin = [&](const std::vector<Numbers>& w, const Numbers& v) {
        return two_streams_twin(w, v, blocks);
      };
      expect_agrees(streams, twin, random_batch(1, 8));
    }
  }
}

TEST(Interactions, HeadsOfTowersAndCrossLayersAgreeWithTheirTwins) {
  constexpr std::size_t kHeads = 3;
  Tower tower(kFields * 8, {12, 7}, 0, 4, kHeads);
  expect_heads_agree(
      tower,
      [](const std::vector<Numbers>& w, const Numbers& v, std::size_t h) {
        return tower_twin(of_head(w, {0}, h, kHeads), v);
      },
      random_batch(1, 8, kHeads));
  Cross cross(kFields * 8, 2, 4, 0, 4, kHeads);
  expect_heads_agree(
      cross,
      [](const std::vector<Numbers>& w, const Numbers& v, std::size_t h) {
        return cross_twin(of_head(w, {0}, h, kHeads), v);
      },
      random_batch(1, 8, kHeads));
}

TEST(Interactions, HeadsOfTwoStreamsAgreeWithTheirTwin) {
  constexpr std::size_t kHeads = 2;
  TwoStreams streams({kFields * 8, {12, 7}, 3, kHeads}, 0, 4);
  expect_heads_agree(
      streams,
      [](const std::vector<Numbers>& w, const Numbers& v, std::size_t h) {
        return two_streams_twin(of_head(w, {0, 2, 8}, h, kHeads), v, 3);
      },
      random_batch(1, 8, kHeads));
}

TEST(Interactions, PairsSharedByHeadsAgreeWithTheirTwin) {
  SharedByAll shared(std::make_unique<AllPairs>(0), 3, 1);
  shared.weights()[0]->w = {1, -0.5F, 2};
  expect_heads_agree(
      shared,
      [](const std::vector<Numbers>& w, const Numbers& v, std::size_t h) {
        return w[0][h] * all_pairs_twin(v, 8);
      },
      random_batch(1, 8, 3));
}

TEST(Interactions, ATowerForEachHeadAgreesWithItsTwin) {
  std::vector<std::unique_ptr<Interaction>> all;
  all.push_back(std::make_unique<Tower>(kFields * 8, std::vector<std::size_t>{9}, 0, 4));
  all.push_back(std::make_unique<Tower>(kFields * 8, std::vector<std::size_t>{5}, kKeptOfOne, 14));
  OneForEach each(std::move(all));
  expect_heads_agree(
      each,
      [](const std::vector<Numbers>& w, const Numbers& v, std::size_t h) {
        const auto at = w.begin() + static_cast<long>(3 * h);
        return tower_twin({at, at + 3}, v);
      },
      random_batch(1, 8, 2));
}

TEST(Interactions, ASumAgreesWithTheSumOfTwins) {
  std::vector<std::unique_ptr<Interaction>> parts;
  parts.push_back(std::make_unique<AllPairs>(kKeptOfOne));
  parts.push_back(std::make_unique<Tower>(kFields * 8, std::vector<std::size_t>{10, 6}, 0, 4));
  SumOf all(std::move(parts));
  const Twin twin = [](const std::vector<Numbers>& w, const Numbers& v) {
    return tower_twin(w, v) + all_pairs_twin(v, 8);
  };
  expect_agrees(all, twin, random_batch(1, 8));
}

TEST(Float8, ExponentialsAreThoseOfTheLibrary) {
  Rng rng(2);
  for (int i = 0; i < 100'000; ++i) {
    const auto x = static_cast<float>(174 * rng.uniform() - 86);
    std::array<float, 8> got, opened, tangent;
    exponential(Float8(x)).store(got.data());
    logistic(Float8(x)).store(opened.data());
    hyperbolic_tangent(Float8(x)).store(tangent.data());
    const double wanted = std::exp(double{x});
    ASSERT_NEAR(double{got[3]} / wanted, 1, 5e-7) << x;
    ASSERT_NEAR(double{opened[3]} * (1 + 1 / wanted), 1, 5e-7) << x;
    ASSERT_NEAR(double{tangent[3]}, std::tanh(double{x}), 3e-7) << x;
  }
  std::array<float, 8> got;
  logistic(Float8(-1e30F)).store(got.data());
  EXPECT_LT(got[0], 1e-37F);
  logistic(Float8(1e30F)).store(got.data());
  EXPECT_EQ(got[0], 1);
  exponential(Float8(NAN)).store(got.data());
  EXPECT_TRUE(std::isnan(got[0]));
}

TEST(Float8, LogarithmsAreThoseOfTheLibrary) {
  Rng rng(2);
  for (int i = 0; i < 100'000; ++i) {
    const auto x = static_cast<float>(std::exp(80 * rng.uniform() - 40));
    const double wanted = std::log(double{x});
    std::array<float, 8> got;
    natural_log(Float8(x)).store(got.data());
    ASSERT_NEAR(double{got[3]}, wanted, 3e-7 * std::max(1.0, std::abs(wanted))) << x;
  }
}

}  // namespace
}  // namespace attune
