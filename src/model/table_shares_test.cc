// The parts of a table that members of a team have: each row one's, and about as much to do.
#include "model/table_shares.h"

#include <gtest/gtest.h>

#include "base/rng.h"

namespace attune {
namespace {

// Rows of 0 to 40 features; half of the uses are of four ids.
Examples skewed(std::size_t rows) {
  Rng rng(3);
  Examples all;
  for (std::size_t r = 0; r < rows; ++r) {
    const std::size_t features = r % 41;
    for (std::size_t i = 0; i < features; ++i) {
      const auto id = static_cast<std::uint32_t>(rng.chance(0.5) ? 8 * rng.below(4) : rng.next());
      all.features.push_back({id, static_cast<float>(i)});
      all.fields.push_back(static_cast<std::uint16_t>(i));
    }
    all.labels.push_back(0);
    all.ends.push_back(static_cast<std::uint32_t>(all.features.size()));
  }
  return all;
}

TEST(TableShares, EveryFeatureIsOneMembersInOrderWithItsField) {
  const Examples rows = skewed(500);
  const TableShares shares(rows, 3);
  for (std::size_t r = 0; r < rows.size(); ++r) {
    for (std::size_t member = 0; member < 3; ++member) {
      std::vector<Feature> own(rows.row(r).size() + TableShares::kRoom);
      std::vector<std::uint16_t> fields(rows.row(r).size() + 1);
      own.resize(shares.take(member, rows.row(r), own.data()));
      shares.take_fields(member, rows.row(r), rows.fields_of(r), fields.data());
      fields.resize(own.size());
      std::vector<float> got, wanted;
      for (const Feature& f : own) got.push_back(f.value);
      for (const Feature& f : rows.row(r)) {
        if (shares.is_own(member, f.hash)) wanted.push_back(f.value);
      }
      ASSERT_EQ(got, wanted);
      ASSERT_EQ(std::vector<float>(fields.begin(), fields.end()), wanted);
    }
    for (const Feature& f : rows.row(r)) {
      ASSERT_EQ(shares.is_own(0, f.hash) + shares.is_own(1, f.hash) + shares.is_own(2, f.hash), 1);
    }
  }
}

TEST(TableShares, RowsOfOneLineAreOneMembers) {
  const TableShares shares(skewed(500), 2);
  for (std::uint32_t hash = 0; hash < 4096; ++hash) {
    ASSERT_EQ(shares.is_own(0, hash), shares.is_own(0, hash / 8 * 8));
  }
}

TEST(TableShares, MembersHaveAboutAsMuchToDo) {
  const Examples rows = skewed(4000);
  const TableShares shares(rows, 2);
  double first = 0;
  for (const Feature& f : rows.features) first += shares.is_own(0, f.hash) ? 1 : 0;
  EXPECT_NEAR(first / static_cast<double>(rows.features.size()), 0.5, 0.03);
}

}  // namespace
}  // namespace attune
