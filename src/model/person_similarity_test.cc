#include "model/person_similarity.h"

#include <gtest/gtest.h>

#include <cmath>

#include "base/rng.h"

namespace attune {
namespace {

// 0 and 1 took items 0 and 1; 1 and 2 took item 2 as well; 3 took item 3 alone.
const Interactions& small() {
  static const Interactions data({{0, 1}, {0, 1, 2}, {2}, {3}}, 5);
  return data;
}

std::vector<float> scores_of(const PersonSimilarityOptions& options, std::uint32_t person) {
  PersonSimilarity model(small(), options);
  std::vector<float> scores(small().items(), 7);
  model.score(person, small().row(person), scores);
  std::vector<float> again(small().items(), 7);
  model.score(person, small().row(person), again);
  EXPECT_EQ(scores, again) << "nothing is left from the call before";
  return scores;
}

TEST(PersonSimilarity, ByHand) {
  // Person 0 is like 1 alone: two items of theirs in common, of three.
  const std::vector<float> plain = scores_of({.rare = 0, .out = 0}, 0);
  const float like = 2 / std::sqrt(3.0F);
  EXPECT_EQ(plain, (std::vector<float>{like, like, like, 0, 0}));
  // Each of them taken twice, which makes it count for less.
  const std::vector<float> rare = scores_of({.rare = 1, .out = 0}, 0);
  EXPECT_FLOAT_EQ(rare[2], 1 / std::sqrt(3.0F));
  EXPECT_FLOAT_EQ(scores_of({.rare = 0, .out = 1}, 0)[2], like / 2);
  EXPECT_EQ(scores_of({}, 3), (std::vector<float>(5, 0))) << "nobody is like 3, not even 3";
}

TEST(PersonSimilarity, OnlyTheMostAlikeCount) {
  // 1 has two items in common with 0 and one with 2: of one neighbour, 0 it is.
  const std::vector<float> one = scores_of({.neighbours = 1, .rare = 0, .out = 0}, 1);
  EXPECT_FLOAT_EQ(one[0], 2 / std::sqrt(2.0F));
  EXPECT_EQ(one[2], 0);
  EXPECT_EQ(scores_of({.neighbours = 2, .rare = 0, .out = 0}, 1)[2], 1);
}

// The plain twin: every pair of persons compared.
TEST(PersonSimilarity, AgreesWithAllPairs) {
  Rng rng(4);
  std::vector<std::vector<std::uint32_t>> rows(40);
  for (auto& row : rows) {
    for (std::uint32_t item = 0; item < 30; ++item) {
      if (rng.chance(0.2)) row.push_back(item);
    }
  }
  const Interactions data(rows, 30);
  PersonSimilarity model(data, {.neighbours = 1000, .rare = 0.5, .out = 0.3});
  std::vector<float> scores(30);
  for (std::uint32_t u = 0; u < 40; ++u) {
    model.score(u, data.row(u), scores);
    std::vector<double> plain(30, 0);
    for (std::uint32_t v = 0; v < 40; ++v) {
      double common = 0;
      for (const std::uint32_t a : data.row(u)) {
        for (const std::uint32_t b : data.row(v)) {
          if (a == b) common += std::pow(data.counts()[a], -0.5);
        }
      }
      if (v == u || common == 0) continue;
      const double size = static_cast<double>(data.row(v).size());
      for (const std::uint32_t b : data.row(v)) {
        plain[b] += common / std::sqrt(size) * std::pow(data.counts()[b], -0.3);
      }
    }
    for (std::size_t j = 0; j < 30; ++j) EXPECT_NEAR(double{scores[j]}, plain[j], 1e-5);
  }
}

}  // namespace
}  // namespace attune
