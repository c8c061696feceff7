// Encoders of sequences against plain twins in doubles, and their gradients against finite
// differences of the twins.
#include "model/sequence_encoder.h"

#include <gtest/gtest.h>

#include "base/rng.h"
#include "model/field_pairs.h"
#include "model/test_twin.h"

namespace attune {
namespace {

constexpr std::size_t kFields = 6, kRows = 5, kSlot = 40;
// Fields 1 and 3 are sequences of what fields 0 and 4 hold one of.
const std::vector<SequenceField> kSequences{{1, 0, 0}, {3, 4, 0}};

using Matrix = std::vector<Numbers>;
// What is added to a field: weights in the order of weights(), members the newest first, q.
using Twin = std::function<Numbers(const Matrix& weights, const Matrix& members, const Numbers& q)>;

// One row as the twin sees it.
struct TwinRow {
  Matrix vectors;                 // by field
  std::vector<Matrix> sequences;  // by kSequences
};

double logit_of(const Matrix& weights, TwinRow row, const Twin& twin) {
  for (std::size_t s = 0; s < kSequences.size(); ++s) {
    if (row.sequences[s].empty()) continue;
    const Numbers more = twin(weights, row.sequences[s], row.vectors[kSequences[s].like]);
    for (std::size_t i = 0; i < more.size(); ++i) row.vectors[kSequences[s].field][i] += more[i];
  }
  double logit = 0;
  for (std::size_t f = 0; f < kFields; ++f) {
    for (std::size_t h = 0; h < f; ++h) {
      logit += product(row.vectors[f].data(), row.vectors[h].data(), row.vectors[f].size());
    }
  }
  return logit;
}

Numbers random_numbers(std::size_t size, Rng& rng) {
  Numbers numbers;
  for (std::size_t i = 0; i < size; ++i) numbers.push_back(0.5 * rng.normal());
  return numbers;
}

// Sequences of none to 70 members, more than there are places.
std::vector<TwinRow> random_rows(std::size_t size) {
  constexpr std::array<std::size_t, kRows> kMembers{3, 0, 1, 7, 70};
  Rng rng(5);
  std::vector<TwinRow> rows(kRows);
  for (std::size_t r = 0; r < kRows; ++r) {
    for (std::size_t f = 0; f < kFields; ++f) rows[r].vectors.push_back(random_numbers(size, rng));
    for (std::size_t s = 0; s < kSequences.size(); ++s) {
      Matrix& members = rows[r].sequences.emplace_back();
      for (std::size_t m = 0; m < kMembers[(r + 2 * s) % kRows]; ++m) {
        members.push_back(random_numbers(size, rng));
      }
    }
  }
  return rows;
}

FieldBatch batch_of(const std::vector<TwinRow>& rows, std::size_t size) {
  FieldBatch batch;
  batch.fields = kFields;
  batch.chunks = size / 8;
  batch.begin(kRows);
  Rng rng(6);
  std::uint32_t member = 0;
  for (std::size_t r = 0; r < kRows; ++r) {
    for (std::size_t f = 0; f < kFields; ++f) {
      auto* const to = reinterpret_cast<float*>(batch.vector_of(r, f));
      for (std::size_t i = 0; i < size; ++i) to[i] = static_cast<float>(rows[r].vectors[f][i]);
    }
    for (std::size_t s = 0; s < kSequences.size(); ++s) {
      const Matrix& members = rows[r].sequences[s];
      if (members.empty()) continue;
      const auto count = static_cast<std::uint32_t>(members.size());
      batch.sequences.push_back(
          {static_cast<std::uint32_t>(r), kSequences[s].field, member, member + count});
      for (const Numbers& one : members) {
        batch.members.resize(++member * batch.chunks);
        auto* const to = reinterpret_cast<float*>(batch.members.data()) + (member - 1) * size;
        for (std::size_t i = 0; i < size; ++i) to[i] = static_cast<float>(one[i]);
      }
    }
    batch.errors[r] = static_cast<float>(rng.normal());
  }
  batch.begin_slopes();
  return batch;
}

Numbers floats(const float* at, std::size_t size) { return {at, at + size}; }

void expect_agrees(std::unique_ptr<SequenceEncoder> encoder, const Twin& twin, std::size_t size) {
  std::vector<TwinRow> rows = random_rows(size);
  FieldBatch batch = batch_of(rows, size);
  // As floats have them.
  for (TwinRow& row : rows) {
    for (Numbers& one : row.vectors) {
      for (double& x : one) x = double{static_cast<float>(x)};
    }
    for (Matrix& sequence : row.sequences) {
      for (Numbers& one : sequence) {
        for (double& x : one) x = double{static_cast<float>(x)};
      }
    }
  }
  OverSequences fast(std::move(encoder), std::make_unique<AllPairs>(0));
  Matrix weights;
  Rng rng(8);
  for (AdamWeights* const one : fast.weights()) {  // also of what starts as 0
    for (float& w : one->w) w += static_cast<float>(0.05 * rng.normal());
    weights.emplace_back(one->w.begin(), one->w.end());
  }
  fast.forward(batch);
  for (std::size_t r = 0; r < kRows; ++r) {
    const double wanted = logit_of(weights, rows[r], twin);
    ASSERT_NEAR(double{batch.logits[r]}, wanted, 1e-4 * std::max(1.0, std::abs(wanted)));
  }
  fast.backward(batch);
  const auto pushed = [&](std::size_t r) {
    return double{batch.errors[r]} * logit_of(weights, rows[r], twin);
  };
  const auto differences = [&](Numbers& of, std::size_t r) {
    Numbers slopes;
    for (double& x : of) slopes.push_back(slope_of(x, [&] { return pushed(r); }));
    return slopes;
  };
  std::size_t next = 0;
  for (std::size_t r = 0; r < kRows; ++r) {
    for (std::size_t f = 0; f < kFields; ++f) {
      const auto* const at = reinterpret_cast<const float*>(batch.slopes_of(r, f));
      ASSERT_LT(distance(floats(at, size), differences(rows[r].vectors[f], r)), 1e-5)
          << "row " << r << " field " << f;
    }
    for (std::size_t s = 0; s < kSequences.size(); ++s) {
      Numbers got, wanted;
      for (Numbers& one : rows[r].sequences[s]) {
        const auto* const at = reinterpret_cast<const float*>(batch.member_slopes.data());
        for (std::size_t i = 0; i < size; ++i) got.push_back(double{at[next++]});
        const Numbers slopes = differences(one, r);
        wanted.insert(wanted.end(), slopes.begin(), slopes.end());
      }
      ASSERT_LT(distance(got, wanted), 1e-5) << "row " << r << " sequence " << s;
    }
  }
  const auto learned = fast.weights();
  for (std::size_t w = 0; w < learned.size(); ++w) {
    Numbers got, wanted;
    for (std::size_t i = 0; i < weights[w].size(); i += 1 + weights[w].size() / 97) {
      got.push_back(double{learned[w]->gradient[i]});
      wanted.push_back(slope_of(weights[w][i], [&] {
        double all = 0;
        for (std::size_t r = 0; r < kRows; ++r) all += pushed(r);
        return all;
      }));
    }
    ASSERT_LT(distance(got, wanted), 1e-5) << "weights " << w;
  }
}

// Weights: W, b; w and then c.
Numbers target_attention(const Matrix& weights, const Matrix& members, const Numbers& q) {
  Numbers out(q.size());
  for (const Numbers& u : members) {
    Numbers x = u;
    x.insert(x.end(), q.begin(), q.end());
    for (std::size_t i = 0; i < q.size(); ++i) x.push_back(u[i] * q[i]);
    Numbers y = dense(x, weights[0], weights[1]);
    double share = weights[2].back();
    for (std::size_t i = 0; i < y.size(); ++i) share += std::max(y[i], 0.0) * weights[2][i];
    for (std::size_t i = 0; i < q.size(); ++i) out[i] += share * u[i];
  }
  return out;
}

// Weights: W, b; R.
Numbers recurrent(const Matrix& weights, const Matrix& members, const Numbers& q) {
  const std::size_t d = q.size();
  const auto opening = [](double x) { return 1 / (1 + std::exp(-x)); };
  Numbers h(d);
  for (auto u = members.rbegin(); u != members.rend(); ++u) {
    const Numbers own = dense(*u, weights[0], weights[1]);
    const Numbers again = dense(h, weights[2], Numbers(3 * d));
    for (std::size_t i = 0; i < d; ++i) {
      const double r = opening(own[i] + again[i]), z = opening(own[d + i] + again[d + i]);
      h[i] = (1 - z) * std::tanh(own[2 * d + i] + r * again[2 * d + i]) + z * h[i];
    }
  }
  return h;
}

// Weights: p; Q, K, V; W1, b1; W2, b2.
Numbers self_attention(const Matrix& weights, const Matrix& members, const Numbers& q) {
  const std::size_t d = q.size();
  Matrix e = members;
  for (std::size_t t = 0; t < e.size(); ++t) {
    for (std::size_t i = 0; i < d; ++i) e[t][i] += weights[0][std::min<std::size_t>(t, 63) * d + i];
  }
  const Numbers asked = dense(e[0], weights[1], Numbers(d));
  Numbers shares, s = e[0];
  double all = 0;
  for (const Numbers& one : e) {
    const Numbers answer = dense(one, weights[2], Numbers(d));
    shares.push_back(
        std::exp(product(asked.data(), answer.data(), d) / std::sqrt(static_cast<double>(d))));
    all += shares.back();
  }
  for (std::size_t t = 0; t < e.size(); ++t) {
    const Numbers said = dense(e[t], weights[3], Numbers(d));
    for (std::size_t i = 0; i < d; ++i) s[i] += shares[t] / all * said[i];
  }
  Numbers y = dense(s, weights[4], weights[5]);
  for (double& one : y) one = std::max(one, 0.0);
  const Numbers out = dense(y, weights[6], weights[7]);
  for (std::size_t i = 0; i < d; ++i) s[i] += out[i];
  return s;
}

TEST(SequenceEncoders, TargetAttentionAgreesWithItsTwin) {
  for (const std::size_t size : {8U, 16U}) {
    expect_agrees(make_target_attention(size, 9, kSequences, kSlot, 4), target_attention, size);
  }
}

TEST(SequenceEncoders, ARecurrentUnitAgreesWithItsTwin) {
  for (const std::size_t size : {8U, 16U}) {
    expect_agrees(make_recurrent(size, kSlot, 4), recurrent, size);
  }
}

TEST(SequenceEncoders, SelfAttentionAgreesWithItsTwin) {
  for (const std::size_t size : {8U, 16U}) {
    expect_agrees(make_self_attention(size, 9, kSlot, 4), self_attention, size);
  }
}

TEST(SequenceEncoders, WithoutSequencesFieldsAreAsTheyAre) {
  std::vector<TwinRow> rows = random_rows(8);
  for (TwinRow& row : rows) row.sequences.assign(kSequences.size(), {});
  FieldBatch with = batch_of(rows, 8), without = batch_of(rows, 8);
  OverSequences over(make_self_attention(8, 9, kSlot, 4), std::make_unique<AllPairs>(0));
  AllPairs alone(0);
  over.forward(with);
  alone.forward(without);
  EXPECT_EQ(with.logits, without.logits);
  over.backward(with);
}

}  // namespace
}  // namespace attune
