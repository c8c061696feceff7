#include "model/missing_values.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "base/rng.h"

namespace attune {
namespace {

constexpr float kMissing = std::numeric_limits<float>::quiet_NaN();

// A column of half precision; a number that the more often is a yes the larger it is, missing in
// every fourth row, which then is a yes as often as said; one that is never missing; one always.
GatheredRows rows_of(double missing_rate) {
  Rng rng(1);
  GatheredRows out(1, 3, 64 << 20);
  for (int r = 0; r < 30'000; ++r) {
    const double number = rng.uniform();
    const bool is_missing = r % 4 == 0;
    const std::vector<float> row{1, is_missing ? kMissing : static_cast<float>(number),
                                 static_cast<float>(number), kMissing};
    out.add(row, rng.chance(is_missing ? missing_rate : number) ? 1.0F : 0.0F, 1);
  }
  return out;
}

TEST(MissingValues, AreStoodForByNumbersOfRowsAlike) {
  EXPECT_NEAR(stand_ins(rows_of(0.2))[1], 0.2, 0.07);
  EXPECT_NEAR(stand_ins(rows_of(0.7))[1], 0.7, 0.07);
  EXPECT_GT(stand_ins(rows_of(1))[1], 0.93);  // the nearest there is
  const std::vector<float> numbers = stand_ins(rows_of(0.2));
  ASSERT_EQ(numbers.size(), 4);
  EXPECT_NEAR(numbers[2], 0.5, 0.02);
  EXPECT_EQ(numbers[3], 0);
}

TEST(MissingValues, AreFilledWhereTheyAre) {
  GatheredRows rows = rows_of(0.2);
  std::vector<float> before(8), after(8);
  const std::vector<std::uint32_t> which{0, 29'999};
  rows.copy(which, before);
  rows.fill_missing(std::vector<float>{9, 8, 7, 6});
  rows.copy(which, after);
  EXPECT_EQ(after, (std::vector<float>{1, 8, before[2], 6, 1, before[5], before[6], 6}));
}

}  // namespace
}  // namespace attune
