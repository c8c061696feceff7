// Pairs of fields with products of bfloat16 beside those of floats, which interaction_test.cc holds
// against a twin.
#include "model/field_pairs.h"

#include <gtest/gtest.h>

#include <cmath>

#include "base/rng.h"
#include "model/bfloat16.h"

namespace attune {
namespace {

// Two factors, each off by half a unit of its 8th bit at most; and what sums of floats lose.
constexpr double kOff = (1 + 0x1p-8) * (1 + 0x1p-8) - 1 + 1e-5;
constexpr float kBefore = 0.25F;  // in logits, slopes and gradients

struct Shape {
  std::size_t rows, fields, chunks;
};

float random_number(Rng& rng) { return static_cast<float>(rng.normal()); }

float* numbers_of(std::vector<Float8>& of) { return reinterpret_cast<float*>(of.data()); }

// Every seventh row teaches nothing and every fifth has no features; after the last row is what is
// no number.
FieldBatch random_batch(const Shape& shape, Rng& rng) {
  FieldBatch batch;
  batch.fields = shape.fields;
  batch.chunks = shape.chunks;
  batch.begin(shape.rows);
  batch.slopes.assign(batch.vectors.size(), Float8(kBefore));
  batch.vectors.assign(batch.vectors.size(), Float8(NAN));
  const std::size_t size = batch.row_chunks() * 8;
  for (std::size_t i = 0; i < shape.rows * size; ++i) {
    numbers_of(batch.vectors)[i] = i / size % 5 == 4 ? 0 : random_number(rng);
  }
  for (std::size_t r = 0; r < shape.rows; ++r) {
    batch.logits[r] = kBefore;
    batch.errors[r] = r % 7 == 6 ? 0 : random_number(rng);
  }
  return batch;
}

FieldPairs random_pairs(std::size_t fields, Rng& rng) {
  FieldPairs pairs(fields, fields, 0, 1);
  AdamWeights& weights = *pairs.weights()[0];
  for (std::size_t f = 0; f < fields; ++f) {
    for (std::size_t h = 0; h < f; ++h) {
      weights.w[f * fields + h] = weights.w[h * fields + f] = random_number(rng);
    }
  }
  std::fill(weights.gradient.begin(), weights.gradient.end(), kBefore);
  return pairs;
}

void learn(FieldPairs& pairs, FieldBatch& batch, Precision precision) {
  batch.precision = precision;
  pairs.forward(batch);
  pairs.backward(batch);
}

// What the products would sum up to were they all positive.
struct Magnitudes {
  std::vector<double> logits, slopes, gradient;
};
Magnitudes magnitudes(FieldBatch& batch, const std::vector<float>& weights) {
  const std::size_t fields = batch.fields, line = batch.chunks * 8;
  Magnitudes all{std::vector<double>(batch.rows), std::vector<double>(batch.vectors.size() * 8),
                 std::vector<double>(weights.size())};
  for (std::size_t at = 0; at < batch.rows * fields * fields; ++at) {
    const std::size_t r = at / fields / fields, f = at / fields % fields, h = at % fields;
    if (f == h) continue;
    const float* const own = numbers_of(batch.vectors) + (r * fields + f) * line;
    const float* const other = numbers_of(batch.vectors) + (r * fields + h) * line;
    const double weight = std::abs(double{weights[f * fields + h]}),
                 error = std::abs(double{batch.errors[r]});
    for (std::size_t i = 0; i < line; ++i) {
      const double both = std::abs(double{own[i]} * double{other[i]});
      all.logits[r] += 0.5 * weight * both;
      all.slopes[(r * fields + f) * line + i] += error * weight * std::abs(double{other[i]});
      all.gradient[f * fields + h] += error * both;
    }
  }
  return all;
}

void expect_near(const float* got, const float* wanted, const std::vector<double>& magnitudes,
                 std::size_t count) {
  for (std::size_t i = 0; i < count; ++i) {
    ASSERT_NEAR(double{got[i]}, double{wanted[i]}, kOff * magnitudes[i] + 1e-6) << i;
  }
}

void expect_agrees(const Shape& shape) {
  Rng rng(shape.rows + 100 * shape.fields);
  FieldPairs floats = random_pairs(shape.fields, rng), rounded = floats;
  FieldBatch of_floats = random_batch(shape, rng), of_rounded = of_floats;
  learn(floats, of_floats, Precision::kSingle);
  learn(rounded, of_rounded, Precision::kBfloat16);
  const Magnitudes size = magnitudes(of_floats, floats.weights()[0]->w);
  expect_near(of_rounded.logits.data(), of_floats.logits.data(), size.logits, shape.rows);
  expect_near(numbers_of(of_rounded.slopes), numbers_of(of_floats.slopes), size.slopes,
              of_floats.slopes.size() * 8);
  expect_near(rounded.weights()[0]->gradient.data(), floats.weights()[0]->gradient.data(),
              size.gradient, size.gradient.size());
}

// Tiles of three fields by two to sixteen, panels of eight chunks, rows two by two.
TEST(FieldPairs, ProductsOfBfloat16AreThoseOfFloatsButForRounding) {
  if (!has_bfloat16()) GTEST_SKIP() << "this processor has no AVX512-BF16";
  for (const std::size_t fields : {3U, 6U, 9U, 15U, 18U, 33U, 39U, 48U}) {
    for (const std::size_t chunks : {1U, 2U, 3U}) {
      for (std::size_t rows = 0; rows <= 40; rows += fields < 18 ? 1 : 3) {
        expect_agrees({rows, fields, chunks});
        ASSERT_FALSE(HasFatalFailure()) << rows << " rows, " << fields << " fields, " << chunks;
      }
    }
  }
}

TEST(FieldPairs, RoundedProductsAreNotThoseOfFloats) {
  if (!has_bfloat16()) GTEST_SKIP() << "this processor has no AVX512-BF16";
  Rng rng(1);
  FieldPairs floats = random_pairs(6, rng), rounded = floats;
  FieldBatch of_floats = random_batch({16, 6, 1}, rng), of_rounded = of_floats;
  learn(floats, of_floats, Precision::kSingle);
  learn(rounded, of_rounded, Precision::kBfloat16);
  EXPECT_NE(of_rounded.logits, of_floats.logits);
  EXPECT_NE(rounded.weights()[0]->gradient, floats.weights()[0]->gradient);
}

}  // namespace
}  // namespace attune
