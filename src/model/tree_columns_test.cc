#include "model/tree_columns.h"

#include <gtest/gtest.h>

#include <cmath>

#include "base/rng.h"

namespace attune {
namespace {

constexpr std::uint32_t kNumber = 7, kFew = 100, kMany = 1000;

struct OneRow {
  std::vector<Feature> features;
  std::vector<std::uint16_t> fields;
};

// Field 0: a number, 1: one of three, 2: one of two hundred.
OneRow row_of(float number, std::uint32_t few, std::uint32_t many) {
  return {{{kNumber, number}, {kFew + few, 1}, {kMany + many, 1}}, {0, 1, 2}};
}

Examples sample() {
  Rng rng(1);
  Examples out;
  for (int r = 0; r < 1000; ++r) {
    const OneRow row =
        row_of(static_cast<float>(rng.normal()), static_cast<std::uint32_t>(rng.below(3)),
               static_cast<std::uint32_t>(rng.below(200)));
    out.features.insert(out.features.end(), row.features.begin(), row.features.end());
    out.fields.insert(out.fields.end(), row.fields.begin(), row.fields.end());
    out.labels.push_back(0);
    out.ends.push_back(static_cast<std::uint32_t>(out.features.size()));
  }
  return out;
}

TreeColumns chosen(bool is_value = false) {
  TreeColumns columns({.bits = 12, .is_value = is_value});
  columns.choose(sample());
  return columns;
}

std::vector<float> encoded(const TreeColumns& columns, const OneRow& row) {
  std::vector<float> out(columns.size());
  columns.encode(row.features, row.fields, out);
  return out;
}

TEST(TreeColumns, NumbersAndFewHaveTheirOwnManyShareTwo) {
  const TreeColumns columns = chosen();
  EXPECT_EQ(columns.shared(), 2);
  EXPECT_EQ(columns.own(), 4);
  const auto row = encoded(columns, row_of(2.5F, 1, 0));
  const std::vector<float> own(row.begin() + 2, row.end());
  EXPECT_EQ(own, (std::vector<float>{0, 1, 0, 2.5F}));
  const auto absent = encoded(columns, {{{kFew, 1}}, {1}});
  EXPECT_TRUE(std::isnan(absent[5]));  // a number that is not there is not 0
  EXPECT_EQ(absent[1], -1);
}

TEST(TreeColumns, AnIdIsKnownByTheRowsBefore) {
  TreeColumns columns = chosen();
  const OneRow row = row_of(0, 0, 5), other = row_of(0, 0, 6);
  EXPECT_EQ(encoded(columns, row)[0], 0);
  EXPECT_EQ(encoded(columns, row)[1], 0);
  for (int i = 0; i < 50; ++i) {
    columns.learn(row.features, row.fields, 1, 1);
    columns.learn(other.features, other.fields, 0, 1);
  }
  // 50 of 50, beside 10 rows at the mean of a half: logit(55 / 60).
  EXPECT_NEAR(encoded(columns, row)[0], std::log(55.0 / 5.0), 2e-3);
  EXPECT_NEAR(encoded(columns, other)[0], std::log(5.0 / 55.0), 2e-3);
  EXPECT_NEAR(encoded(columns, row)[1], std::log1p(50.0), 2e-3);
  EXPECT_EQ(encoded(columns, row_of(0, 0, 7))[0], 0);  // never seen: as the mean
}

TEST(TreeColumns, OfNumbersRatesAreInDeviations) {
  TreeColumns columns = chosen(true);
  const OneRow row = row_of(0, 0, 5), other = row_of(0, 0, 6);
  for (int i = 0; i < 990; ++i) {
    columns.learn(row.features, row.fields, 1100, 1);
    columns.learn(other.features, other.fields, 900, 1);
  }
  EXPECT_NEAR(encoded(columns, row)[0], 0.99, 0.001);  // mean 1000, deviation 100
}

// The same columns with that of field 1, by 300 rows: of its ids 0, 1 and 2 none, half and all are
// a yes.
struct Rated {
  TreeColumns columns = chosen();
  GatheredRows rows{columns.half(), columns.size() - columns.half(), 1 << 20};
  Rated() {
    for (std::uint32_t i = 0; i < 300; ++i) {
      const OneRow row = row_of(1, i % 3, i % 200);
      const float label = i % 3 == 2 || (i % 3 == 1 && i % 2 == 0) ? 1 : 0;
      rows.add(encoded(columns, row), label, 1);
      columns.learn(row.features, row.fields, label, 1);
    }
    columns.rate(rows);
  }
};

TEST(TreeColumns, IdsOfFieldsOfFewComeInTheOrderOfTheirLabelsToo) {
  const Rated rated;
  EXPECT_EQ(rated.columns.rated(), 1);
  ASSERT_EQ(rated.columns.size(), 7);
  const auto of = [&](std::uint32_t few) { return encoded(rated.columns, row_of(1, few, 0))[6]; };
  // None, and all, of 100 rows, beside 10 at the mean of a half.
  EXPECT_NEAR(of(0), std::log(5.0 / 105.0), 1e-6);
  EXPECT_NEAR(of(1), 0, 1e-6);
  EXPECT_NEAR(of(2), std::log(105.0 / 5.0), 1e-6);
  EXPECT_EQ(encoded(rated.columns, {{{kNumber, 1}}, {0}})[6], 0);  // as the mean
}

TEST(TreeColumns, GatheredRowsHaveTheColumnsThatPredictionsHave) {
  const Rated rated;
  ASSERT_EQ(rated.rows.columns(), 7);
  ASSERT_EQ(rated.rows.given(), 6);
  for (std::uint32_t i = 0; i < 300; ++i) {
    std::vector<float> all(7), given(6);
    rated.rows.copy({&i, 1}, all);
    rated.rows.copy({&i, 1}, given, false);
    const std::vector<float> row = encoded(rated.columns, row_of(1, i % 3, i % 200));
    // Rates of fields of many are those of the rows before.
    EXPECT_EQ(std::vector<float>(all.begin() + 2, all.end()),
              std::vector<float>(row.begin() + 2, row.end()));
    EXPECT_EQ(given, std::vector<float>(all.begin(), all.end() - 1));
  }
}

TEST(TreeColumns, WhatColumnsDidGoesToTheFeaturesOfTheRow) {
  const TreeColumns columns = chosen();
  const std::vector<double> did{1, 2, 100, 200, 400, 10};  // rate, count, few 0 1 2, number
  std::vector<double> out(3);
  const OneRow row = row_of(2.5F, 1, 0);
  EXPECT_EQ(columns.attribute(row.features, row.fields, did, out), 0);
  EXPECT_EQ(out, (std::vector<double>{10, 700, 3}));
  std::vector<double> one(1);
  EXPECT_EQ(
      columns.attribute(std::span(row.features).first(1), std::span(row.fields).first(1), did, one),
      703);
  EXPECT_EQ(one[0], 10);
  const Rated rated;
  std::vector<double> with_rates = did;
  with_rates.push_back(1000);
  EXPECT_EQ(rated.columns.attribute(row.features, row.fields, with_rates, out), 0);
  EXPECT_EQ(out, (std::vector<double>{10, 1700, 3}));
}

TEST(TreeColumns, AreReadBackAsTheyWereBeforeThereWereRates) {
  std::string bytes;
  chosen().encode(bytes);
  bytes.pop_back();  // that there are none
  TreeColumns back({.bits = 12});
  Reader reader(bytes);
  ASSERT_TRUE(back.restore(reader, false));
  EXPECT_TRUE(reader.done());
  EXPECT_EQ(encoded(back, row_of(1, 1, 7)), encoded(chosen(), row_of(1, 1, 7)));
}

TEST(TreeColumns, AreReadBackAsTheyWere) {
  const TreeColumns columns = Rated().columns;
  std::string bytes, again;
  columns.encode(bytes);
  TreeColumns back({.bits = 12});
  Reader reader(bytes);
  ASSERT_TRUE(back.restore(reader));
  EXPECT_TRUE(reader.done());
  back.encode(again);
  EXPECT_EQ(again, bytes);
  EXPECT_EQ(encoded(back, row_of(1, 1, 7)), encoded(columns, row_of(1, 1, 7)));
  Rng rng(2);
  for (int round = 0; round < 3000; ++round) {
    std::string damaged = bytes.substr(0, round % 2 == 0 ? bytes.size() : rng.below(bytes.size()));
    for (int i = 0; i < 3 && !damaged.empty(); ++i) {
      damaged[rng.below(damaged.size())] = static_cast<char>(rng.below(256));
    }
    TreeColumns other({.bits = 12});
    Reader r(damaged);
    if (other.restore(r)) (void)encoded(other, row_of(1, 1, 7));
  }
}

}  // namespace
}  // namespace attune
