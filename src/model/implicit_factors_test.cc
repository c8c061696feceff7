#include "model/implicit_factors.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "base/rng.h"

namespace attune {
namespace {

// Two circles of persons, each taking from its own half of the items.
Interactions circles(std::uint64_t seed) {
  Rng rng(seed);
  std::vector<std::vector<std::uint32_t>> rows(60);
  for (std::size_t person = 0; person < rows.size(); ++person) {
    for (std::uint32_t item = 0; item < 40; ++item) {
      const bool is_own = (person < 30) == (item < 20);
      if (rng.chance(is_own ? 0.3 : 0.01)) rows[person].push_back(item);
    }
  }
  return {std::move(rows), 40};
}

std::vector<float> scores_of(const ImplicitFactors& model) {
  std::vector<float> scores(model.persons() * model.items());
  model.score(0, model.persons(), scores);
  return scores;
}

// What is made least, but for the ridge.
double misfit(const Interactions& data, const ImplicitFactors& model, double all) {
  const std::vector<float> scores = scores_of(model);
  double sum = 0;
  for (const float score : scores) sum += all * double{score} * double{score};
  for (std::uint32_t person = 0; person < data.persons(); ++person) {
    for (const std::uint32_t item : data.row(person)) {
      const double short_of = 1 - double{scores[person * data.items() + item]};
      sum += short_of * short_of;
    }
  }
  return sum;
}

TEST(ImplicitFactors, FindPlantedCircles) {
  const Interactions data = circles(3);
  const ImplicitFactors model(data, {.size = 8, .all = 0.1, .ridge = 0.02});
  const std::vector<float> scores = scores_of(model);
  double own = 0, other = 0;  // of what was not taken
  for (std::uint32_t person = 0; person < 60; ++person) {
    for (std::uint32_t item = 0; item < 40; ++item) {
      const auto row = data.row(person);
      if (std::find(row.begin(), row.end(), item) != row.end()) continue;
      ((person < 30) == (item < 20) ? own : other) += double{scores[person * 40 + item]};
    }
  }
  EXPECT_GT(own, 5 * std::abs(other));
}

TEST(ImplicitFactors, FitBetterEachRoundAndFollowTheSeed) {
  const Interactions data = circles(5);
  double before = 1e9;
  for (const int rounds : {1, 2, 4, 8}) {
    const ImplicitFactors model(data, {.size = 16, .all = 0.1, .ridge = 1e-4, .rounds = rounds});
    const double now = misfit(data, model, 0.1);
    EXPECT_LT(now, before) << rounds;
    before = now;
  }
  const ImplicitFactorsOptions options{.size = 16, .seed = 9};
  const std::vector<float> once = scores_of(ImplicitFactors(data, options));
  EXPECT_EQ(once, scores_of(ImplicitFactors(data, options)));
  EXPECT_NE(once, scores_of(ImplicitFactors(data, {.size = 16, .seed = 10})));
}

// An item nobody took has no score, nor has a person who took nothing.
TEST(ImplicitFactors, NobodyLikesWhatIsNotKnown) {
  const Interactions data({{0, 1}, {1, 2}, {}, {0, 2}}, 4);
  const ImplicitFactors model(data, {.size = 8, .rounds = 10, .steps = 8});
  const std::vector<float> scores = scores_of(model);
  for (std::size_t item = 0; item < 4; ++item) EXPECT_EQ(scores[2 * 4 + item], 0);
  for (std::size_t person = 0; person < 4; ++person) EXPECT_NEAR(scores[person * 4 + 3], 0, 1e-6);
  std::vector<float> one(4);
  model.score(1, 1, one);
  EXPECT_EQ(one, std::vector<float>(scores.begin() + 4, scores.begin() + 8));
}

// One vector number, by hand: for an item of vector q and a person who took it alone, the person's
// p = q / (q^2 (1 + all) + ridge (1 + all)), and the item's likewise; both sides settle where
// p^2 = q^2, so that (1 + all) (p^2 + ridge) = 1.
TEST(ImplicitFactors, SettleWhereTheSumIsLeast) {
  const Interactions data({{0}}, 1);
  const double all = 0.25, ridge = 0.1;
  const ImplicitFactors model(data,
                              {.size = 8, .all = all, .ridge = ridge, .rounds = 200, .steps = 8});
  EXPECT_NEAR(double{scores_of(model)[0]}, 1 / (1 + all) - ridge, 1e-5);
}

}  // namespace
}  // namespace attune
