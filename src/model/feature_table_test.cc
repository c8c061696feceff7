// What tables do with ids: collisions, admission, expiry, a memory limit.
#include "model/feature_table.h"

#include <gtest/gtest.h>

#include <cmath>
#include <set>

#include "base/hash.h"
#include "base/rng.h"
#include "model/admission.h"

namespace attune {
namespace {

constexpr std::size_t kWidth = 4;

std::uint32_t hash_of(std::uint64_t id) { return static_cast<std::uint32_t>(mix64(1, id)); }

bool has(const FeatureTable& table, std::uint32_t hash) {
  FoundRows found;
  EXPECT_TRUE(table.find(std::vector<Feature>{{hash, 1}}, found));
  return found.size == 1;
}

// The row of the id, with a mark in it; nullptr when it has none (yet).
float* use(FeatureTable& table, std::uint32_t hash) {
  static FoundRows found;
  EXPECT_TRUE(table.take(std::vector<Feature>{{hash, 1}}, found));
  return found.size == 1 ? found.at[0] : nullptr;
}

TEST(FeatureTable, CountsCollisionsOfTheHashedTable) {
  FeatureTable table({.bits = 12}, kWidth);
  std::set<std::uint32_t> rows;
  for (std::uint64_t id = 0; id < 3000; ++id) {
    use(table, hash_of(id));
    rows.insert(hash_of(id) & 0xfff);
  }
  const TableCounts counts = table.counts();
  EXPECT_EQ(counts.capacity, 4096u);
  EXPECT_EQ(counts.rows, rows.size());
  const double collisions = 3000.0 - static_cast<double>(rows.size());
  EXPECT_EQ(static_cast<double>(counts.shared_uses), collisions);
  // Linear counting is within a few percent of the ids here.
  EXPECT_NEAR(static_cast<double>(counts.collisions), collisions, 120);
}

TEST(FeatureTable, EveryIdHasARowOfItsOwnWhenCollisionFree) {
  FeatureTable table({.bits = 12, .collision_free = true}, kWidth);
  std::set<float*> rows;
  for (std::uint64_t id = 0; id < 3000; ++id) rows.insert(use(table, hash_of(id)));
  EXPECT_EQ(rows.size(), 3000u);  // 73 % full
  EXPECT_EQ(table.counts().rows, 3000u);
  EXPECT_EQ(table.counts().collisions, 0u);
  EXPECT_EQ(table.counts().evicted, 0u);
  EXPECT_FALSE(has(table, hash_of(4000)));
}

TEST(FeatureTable, TheIdZeroIsAnIdLikeOthers) {
  FeatureTable table({.bits = 8, .collision_free = true}, kWidth);
  EXPECT_FALSE(has(table, 0));
  float* const row = use(table, 0);
  EXPECT_TRUE(has(table, 0));
  EXPECT_EQ(use(table, 0), row);
  EXPECT_EQ(table.counts().rows, 1u);
}

TEST(FeatureTable, AnIdIsAdmittedAtItsNthUse) {
  FeatureTable table({.bits = 10, .collision_free = true, .admit_after = 3}, kWidth);
  EXPECT_EQ(use(table, 77), nullptr);
  EXPECT_EQ(use(table, 77), nullptr);
  EXPECT_EQ(table.counts().waiting_uses, 2u);
  EXPECT_NE(use(table, 77), nullptr);
  EXPECT_EQ(table.counts().rows, 1u);
}

TEST(FeatureTable, AnIdNotSeenForLongIsDroppedAndItsRowIsClean) {
  FeatureTable table({.bits = 8, .collision_free = true, .expire_rows = 1000}, kWidth);
  use(table, 1)[1] = 5;
  use(table, 2)[1] = 6;
  for (int row = 0; row < 1500; ++row) use(table, 2);
  EXPECT_FALSE(has(table, 1));
  EXPECT_TRUE(has(table, 2));
  EXPECT_EQ(table.counts().expired, 1u);
  EXPECT_EQ(use(table, 1)[1], 0);
  EXPECT_EQ(use(table, 2)[1], 6);
}

TEST(FeatureTable, TheLongestUnseenGivesWayWhenMemoryIsFull) {
  FeatureTable table({.bits = 20, .collision_free = true, .memory_bytes = 24'000}, kWidth);
  EXPECT_LE(table.memory_bytes(), 24'000u);
  const TableCounts empty = table.counts();
  EXPECT_EQ(empty.capacity, 1000u);
  for (std::uint64_t id = 0; id < 20'000; ++id) {
    use(table, hash_of(id));
    for (std::uint64_t kept = 0; kept < 10; ++kept) use(table, hash_of(kept));
  }
  for (std::uint64_t kept = 0; kept < 10; ++kept) EXPECT_TRUE(has(table, hash_of(kept)));
  EXPECT_TRUE(has(table, hash_of(19'999)));
  EXPECT_FALSE(has(table, hash_of(11)));
  const TableCounts full = table.counts();
  EXPECT_GT(full.rows, 990u);
  EXPECT_EQ(full.rows + full.evicted, 20'000u);
}

TEST(FeatureTable, MemoryWithAdmissionStaysInItsLimit) {
  for (const std::uint64_t limit : {10'000ULL, 1'000'000ULL, 123'456'789ULL}) {
    const FeatureTable table({.collision_free = true, .admit_after = 2, .memory_bytes = limit},
                             kWidth);
    EXPECT_LE(table.memory_bytes(), limit);
    EXPECT_GT(table.memory_bytes(), limit / 2);
  }
}

TEST(Admission, NeverCountsTooLowAndSeldomTooHigh) {
  Admission admission(1000, 3);
  std::size_t early = 0;
  for (std::uint32_t id = 0; id < 500; ++id) {
    early += admission.admits(hash_of(id)) ? 1 : 0;
    early += admission.admits(hash_of(id)) ? 1 : 0;
    EXPECT_TRUE(admission.admits(hash_of(id)));
  }
  EXPECT_LT(early, 50u);  // 500 ids in 4,096 counters
}

}  // namespace
}  // namespace attune
