#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <set>

#include "simulate/ctr_text.h"
#include "stat/metrics.h"

namespace attune {
namespace {

const CtrWorld& world_one() {
  static const CtrWorld world(1);
  return world;
}

// Frozen: results measured on CTR data v1 stay comparable only while these hold.
TEST(Ctr, DigestsAreFrozen) {
  EXPECT_EQ(ctr_digest(1), "bdc5628f3b8b89fb76ed5853321931821579b58de196a18eded6239a21d93926");
  EXPECT_EQ(ctr_digest(2), "ef0b0c4dbcc1a0d8c3bff384b52ce5142a91631297c095c5fd0de0a33bf93ff2");
  EXPECT_EQ(ctr_digest(3), "5b383942cf40a770189e61841eb9c4d27540da4779a98af43e81a6a514b4c4c7");
}

TEST(Ctr, TruthIsAsHardAsIntended) {
  for (const std::uint64_t seed : {1U, 2U, 3U}) {
    const CtrWorld world(seed);
    ProgressiveMetrics truth;
    for (std::uint64_t k = 0; k < 1'000'000; k += 10) {
      const CtrRow row = world.row(k);
      truth.add(row.p, row.click);
    }
    EXPECT_NEAR(*truth.base_rate(), kCtrBaseRate, 0.005);  // standard error 0.0014
    EXPECT_NEAR(*truth.auc(), 0.848, 0.005);
    EXPECT_NEAR(*truth.log_loss(), 0.392, 0.006);
    EXPECT_NEAR(*truth.calibration(), 1, 0.02);
  }
}

TEST(Ctr, RowsDoNotDependOnEachOther) {
  const CtrRow alone = world_one().row(777);
  (void)world_one().row(5);
  const CtrRow again = CtrWorld(1).row(777);
  EXPECT_EQ(alone.p, again.p);
  EXPECT_EQ(alone.categories, again.categories);
  EXPECT_EQ(alone.numbers, again.numbers);
}

TEST(Ctr, IdsHaveHeadsAndTails) {
  std::map<std::uint32_t, int> users, items;
  for (std::uint64_t k = 0; k < 50'000; ++k) {
    const CtrRow row = world_one().row(k);
    ++users[row.categories[0]];
    ++items[row.categories[8]];
  }
  const auto once = [](const auto& counts) {
    return std::count_if(counts.begin(), counts.end(), [](const auto& c) { return c.second == 1; });
  };
  const auto most = [](const auto& counts) {
    return std::max_element(counts.begin(), counts.end(),
                            [](const auto& a, const auto& b) { return a.second < b.second; })
        ->second;
  };
  EXPECT_GT(users.size(), 15'000U);
  EXPECT_GT(once(users), 10'000);
  EXPECT_GT(most(items), 500);
  EXPECT_GT(once(items), 1'000);
}

TEST(Ctr, AdsComeAndGo) {
  const auto ads_of = [](std::uint64_t begin) {
    std::set<std::uint32_t> ads;
    for (std::uint64_t k = begin; k < begin + 5'000; ++k) {
      ads.insert(world_one().row(k).categories[8]);
    }
    return ads;
  };
  const auto first = ads_of(0), same_day = ads_of(50'000), later = ads_of(3'000'000);
  const auto shared = [&](const std::set<std::uint32_t>& other) {
    return std::count_if(first.begin(), first.end(), [&](auto ad) { return other.contains(ad); });
  };
  EXPECT_LT(2 * shared(later), shared(same_day));
}

TEST(Ctr, FieldsGoTogether) {
  std::map<std::uint32_t, std::uint32_t> category_of;  // by advertiser
  int numbers = 0;
  for (std::uint64_t k = 0; k < 5'000; ++k) {
    const CtrRow row = world_one().row(k);
    const auto [at, is_new] = category_of.try_emplace(row.categories[10], row.categories[11]);
    EXPECT_EQ(at->second, row.categories[11]);
    numbers += row.numbers[0] != kMissingNumber ? 1 : 0;
  }
  EXPECT_NEAR(numbers, 3'000, 150);  // 40 % are missing; 4 standard errors are 139
}

// Within one advertiser's category the click rate differs by who sees it more than chance allows.
TEST(Ctr, TastesMeet) {
  std::map<std::pair<std::uint32_t, std::uint32_t>, std::pair<double, double>> cells;
  std::map<std::uint32_t, std::pair<double, double>> ages, categories;
  double n = 0, sum = 0;
  for (std::uint64_t k = 0; k < 200'000; ++k) {
    const CtrRow row = world_one().row(k);
    const double logit = std::log(row.p / (1 - row.p));
    const auto add = [&](auto& cell) {
      cell.first += logit;
      cell.second += 1;
    };
    add(cells[{row.categories[3], row.categories[11]}]);
    add(ages[row.categories[3]]);
    add(categories[row.categories[11]]);
    sum += logit;
    n += 1;
  }
  double between = 0, weight = 0;
  for (const auto& [key, cell] : cells) {
    const auto& age = ages[key.first];
    const auto& category = categories[key.second];
    const double expected = age.first / age.second + category.first / category.second - sum / n;
    const double difference = cell.first / cell.second - expected;
    between += difference * difference * cell.second;
    weight += cell.second;
  }
  // Additive effects alone would leave the noise of the means: about 600 cells * 3 / 200,000.
  EXPECT_GT(between / weight, 0.03);
}

TEST(CtrText, WritesTheFourForms) {
  CtrRow row;
  row.p = 0.0612345;
  row.click = true;
  row.numbers.fill(kMissingNumber);
  row.numbers[0] = 5;
  row.numbers[12] = -2;
  row.categories[0] = 0x68fd1e64;
  row.categories[25] = 0xa;
  std::string tsv, vw, ffm, truth;
  append_criteo(row, tsv);
  append_vw(row, vw);
  append_libffm(row, ffm);
  append_truth(row, truth);
  EXPECT_EQ(tsv,
            "1\t5" + std::string(12, '\t') + "-2\t68fd1e64" + std::string(25, '\t') + "0000000a\n");
  EXPECT_EQ(vw, "1 |A 5 |M -2 |a 68fd1e64 |z 0000000a\n");
  EXPECT_EQ(ffm.substr(0, 4), "1 0:");
  EXPECT_EQ(std::count(ffm.begin(), ffm.end(), ':'), 8);
  EXPECT_EQ(truth, "0.061235\n");
}

TEST(CtrText, StepsAreExactBelowEightThenQuartersOfALogarithm) {
  EXPECT_EQ(ctr_step(-3), -3);
  EXPECT_EQ(ctr_step(7), 7);
  EXPECT_EQ(ctr_step(8), 8);
  EXPECT_EQ(ctr_step(11), 9);     // 4 ln(11/8) = 1.27
  EXPECT_EQ(ctr_step(8000), 35);  // 4 ln 1000 = 27.6
}

}  // namespace
}  // namespace attune
