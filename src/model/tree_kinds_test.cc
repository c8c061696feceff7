#include <gtest/gtest.h>

#include "base/rng.h"
#include "model/model.h"

namespace attune {
namespace {

Examples one_row(std::vector<Feature> features, float label) {
  Examples out;
  out.features = std::move(features);
  out.fields.assign(out.features.size(), 0);
  out.ends = {static_cast<std::uint32_t>(out.features.size())};
  out.labels = {label};
  return out;
}

float said_of(const Model& model, const std::vector<Feature>& features) {
  float out = 0;
  model.predict(one_row(features, 0), std::span(&out, 1));
  return out;
}

// A number in (0, 1) that is as often a yes; in every fourth row it is missing, and 0.2 are a yes.
std::unique_ptr<Model> grown_from(std::size_t rows) {
  auto model = make_model({.kind = "trees", .settings = {{"rounds", 30}, {"patience", 0}}}).value();
  Rng rng(1);
  std::vector<float> before(1);
  for (std::size_t r = 0; r < rows; ++r) {
    const double number = rng.uniform();
    const bool is_missing = r % 4 == 0;
    const float label = rng.chance(is_missing ? 0.2 : number) ? 1 : 0;
    const std::vector<Feature> known{{7, static_cast<float>(number)}};
    model->learn(one_row(is_missing ? std::vector<Feature>() : known, label), before);
  }
  EXPECT_TRUE(model->finish().ok());
  return model;
}

// From 200,000 rows on a number stands for what is missing; before, it has a way of its own.
TEST(TreeKinds, MissingNumbersAreKnownByTheirRowsHoweverManyThereAre) {
  for (const std::size_t rows : {50'000, 200'000}) {
    const auto model = grown_from(rows);
    EXPECT_NEAR(said_of(*model, {}), 0.2, 0.04) << rows;
    EXPECT_NEAR(said_of(*model, {{7, 0.2F}}), 0.2, 0.05) << rows;
    EXPECT_NEAR(said_of(*model, {{7, 0.85F}}), 0.85, 0.05) << rows;
  }
}

// What two numbers say together, and neither alone.
TEST(TreeKinds, ATreeOfFewColumnsSeesThemTogether) {
  auto model = make_model({.kind = "trees"}).value();
  Rng rng(3);
  std::vector<float> before(1);
  const auto features = [](double a, double b) {
    return std::vector<Feature>{{7, static_cast<float>(a)}, {8, static_cast<float>(b)}};
  };
  for (int r = 0; r < 4000; ++r) {
    const double a = rng.normal(), b = rng.normal();
    model->learn(one_row(features(a, b), (a > 0) != (b > 0) ? 1 : 0), before);
  }
  ASSERT_TRUE(model->finish().ok());
  EXPECT_LT(said_of(*model, features(1, 1)), 0.1);
  EXPECT_LT(said_of(*model, features(-1, -1)), 0.1);
  EXPECT_GT(said_of(*model, features(1, -1)), 0.9);
  EXPECT_GT(said_of(*model, features(-1, 1)), 0.9);
}

// Ids of one field, half of which are a yes: as columns of one id each a split parts one of them
// from the rest.
TEST(TreeKinds, OneSplitPartsTheIdsOfAFieldByTheirLabels) {
  auto model = make_model({.kind = "tree", .settings = {{"depth", 1}}}).value();
  std::vector<float> before(1);
  const auto feature = [](std::uint32_t id) { return std::vector<Feature>{{100 + id, 1}}; };
  for (std::uint32_t r = 0; r < 2000; ++r) {
    const std::uint32_t id = r % 20;
    model->learn(one_row(feature(id), id % 2 == 0 ? 1 : 0), before);
  }
  ASSERT_TRUE(model->finish().ok());
  for (std::uint32_t id = 0; id < 20; ++id) {
    EXPECT_NEAR(said_of(*model, feature(id)), id % 2 == 0 ? 1 : 0, 0.01) << id;
  }
}

}  // namespace
}  // namespace attune
