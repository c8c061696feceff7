// What tables do with ids: collisions, admission, expiry, a memory limit.
#include "model/feature_table.h"

#include <gtest/gtest.h>

#include <array>
#include <bit>
#include <cmath>
#include <fstream>
#include <map>
#include <set>
#include <string>
#include <thread>
#include <utility>

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

// Eight at a time or one by one: the same rows, counts and order, ids twice in a row included.
// Those of 4 floats by slot, of 8 in the order of first use.
class HashedTable : public testing::TestWithParam<std::size_t> {};

TEST_P(HashedTable, RowsAreTakenAsOneByOne) {
  const std::size_t width = GetParam();
  Rng rng(5);
  FeatureTable table({.bits = 8}, width, width == 4 ? RowOrder::kBySlot : RowOrder::kByFirstUse);
  std::map<std::uint32_t, std::uint32_t> owners;  // of slots, as tags
  std::map<std::uint32_t, float*> rows;           // of slots
  std::uint64_t shared = 0;
  std::uint32_t first = 0;  // slot that was taken
  FoundRows found;
  for (std::size_t round = 0; round < 300; ++round) {
    std::vector<Feature> row(rng.below(45));
    std::vector<std::uint32_t> fresh;
    for (Feature& f : row) {
      f = {static_cast<std::uint32_t>(rng.below(1ULL << 32)), static_cast<float>(rng.normal())};
      if (rng.chance(0.3)) f.hash = row[rng.below(row.size())].hash;  // perhaps twice
    }
    for (const Feature& f : row) {
      const std::uint32_t tag = (f.hash >> 8) + 1;
      const auto [owner, is_new] = owners.try_emplace(f.hash & 0xff, tag);
      if (is_new) fresh.push_back(f.hash);
      shared += owner->second != tag ? 1 : 0;
    }
    ASSERT_TRUE(table.take(row, found));
    ASSERT_EQ(found.size, row.size());
    ASSERT_EQ(found.fresh.size(), fresh.size());
    for (std::size_t i = 0; i < fresh.size(); ++i) ASSERT_EQ(found.fresh[i].second, fresh[i]);
    if (rows.empty() && !row.empty()) first = row[0].hash & 0xff;
    for (std::size_t i = 0; i < row.size(); ++i) {
      ASSERT_EQ(found.x[i], row[i].value);
      ASSERT_EQ(std::bit_cast<std::uint32_t>(found.at[i][0]), owners.at(row[i].hash & 0xff));
      const auto [slot, is_new] = rows.try_emplace(row[i].hash & 0xff, found.at[i]);
      const std::ptrdiff_t order = width == 4 ? std::ptrdiff_t{slot->first} - std::ptrdiff_t{first}
                                              : std::ptrdiff_t(rows.size()) - 1;
      const std::ptrdiff_t floats = order * static_cast<std::ptrdiff_t>(width);
      ASSERT_EQ(found.at[i], is_new ? rows.at(first) + floats : slot->second);
      found.at[i][1] = static_cast<float>(row[i].hash & 0xff);
    }
    FoundRows again;
    ASSERT_TRUE(table.find(row, again));
    for (std::size_t i = 0; i < row.size(); ++i) {
      ASSERT_EQ(again.at[i], found.at[i]);
      ASSERT_EQ(again.x[i], row[i].value);
      ASSERT_EQ(again.first[i], static_cast<float>(row[i].hash & 0xff));
    }
  }
  EXPECT_EQ(table.counts().rows, owners.size());
  EXPECT_EQ(table.counts().shared_uses, shared);
}

INSTANTIATE_TEST_SUITE_P(Widths, HashedTable, testing::Values(4, 8),
                         [](const auto& of) { return std::to_string(of.param); });

TEST(FeatureTable, AnIdNobodyLearnedHasZerosAndTakesNoRow) {
  FeatureTable table({.bits = 8}, kWidth);
  use(table, 3)[1] = 5;
  const std::vector<Feature> row(11, Feature{4, 1});
  FoundRows found;
  ASSERT_TRUE(table.find(row, found));
  ASSERT_EQ(found.size, row.size());
  for (std::size_t i = 0; i < found.size; ++i) {
    EXPECT_EQ(found.first[i], 0);
    for (std::size_t k = 0; k < kWidth; ++k) EXPECT_EQ(found.at[i][k], 0);
  }
  EXPECT_EQ(table.counts().rows, 1u);
}

// Two threads meet the same ids at about the same time, and each id gets one row.
TEST(FeatureTable, WhoSharesRowsTakesEachOnce) {
  constexpr std::uint64_t kIds = 60'000;
  constexpr std::size_t kWide = 16;
  FeatureTable one({.bits = 16}, kWide), two({.bits = 16}, kWide);
  ASSERT_TRUE(two.share(one).ok());
  std::array<std::vector<float*>, 2> rows;
  const auto take_all = [&](FeatureTable& table, std::vector<float*>& to) {
    FoundRows found;
    for (std::uint64_t id = 0; id < kIds; ++id) {
      EXPECT_TRUE(table.take(std::vector<Feature>{{hash_of(id), 1}}, found));
      to.push_back(found.at[0]);
    }
  };
  std::thread other([&] { take_all(two, rows[1]); });
  take_all(one, rows[0]);
  other.join();
  EXPECT_EQ(rows[0], rows[1]);
  std::set<std::uint32_t> slots;
  for (std::uint64_t id = 0; id < kIds; ++id) slots.insert(hash_of(id) & 0xffff);
  EXPECT_EQ(std::set<float*>(rows[0].begin(), rows[0].end()).size(), slots.size());
  EXPECT_EQ(one.counts().rows, slots.size());
  one.stop_sharing();
  use(one, hash_of(kIds));
  EXPECT_GE(one.counts().rows, slots.size());
}

TEST(FeatureTable, WhoSharesRowsMayHaveTheFirstForItself) {
  constexpr std::size_t kWide = 16;
  FeatureTable one({.bits = 10}, kWide), two({.bits = 10}, kWide);
  ASSERT_TRUE(two.share(one, 8).ok());
  for (std::uint32_t id = 0; id < 10; ++id) use(one, id)[1] = static_cast<float>(id);
  two.keep_own(4);  // row 0, and those of ids 0, 1 and 2
  for (std::uint32_t id = 0; id < 10; ++id) {
    float* const row = use(two, id);
    EXPECT_EQ(row[1], static_cast<float>(id));
    EXPECT_EQ(row == use(one, id), id >= 3) << id;
    EXPECT_EQ(row, two.row(id + 1));
    row[1] = 100;
    EXPECT_EQ(use(one, id)[1], id >= 3 ? 100 : static_cast<float>(id));
  }
  EXPECT_EQ(two.counts().rows, one.counts().rows);
  EXPECT_EQ(two.take_shared_uses(), 0u);
  EXPECT_NE(use(two, 1), use(one, 1));
  two.stop_sharing();
  EXPECT_EQ(use(two, 1), use(one, 1));
}

TEST(FeatureTable, RowsThatAreLargestAreMadeTheFirst) {
  constexpr std::uint32_t kIds = 5000, kFirst = 700;
  FeatureTable table({.bits = 16}, 16);
  std::map<std::uint32_t, float> sizes;  // by slot
  Rng rng(9);
  for (std::uint32_t id = 0; id < kIds; ++id) {
    float* const row = use(table, hash_of(id));
    row[1] = static_cast<float>(hash_of(id) & 0xffff);
    row[3] = sizes[hash_of(id) & 0xffff] = static_cast<float>(rng.below(900));  // some alike
  }
  const TableCounts counts = table.counts();
  table.put_first(3, kFirst);
  EXPECT_EQ(table.counts().rows, counts.rows);
  for (const auto& [slot, size] : sizes) {
    const float* const row = use(table, slot);
    EXPECT_EQ(row[1], static_cast<float>(slot));
    EXPECT_EQ(row[3], size);
  }
  float least = 900, most = 0;  // of the first, of the others
  for (std::uint32_t number = 1; number <= sizes.size(); ++number) {
    const float size = table.row(number)[3];
    number <= kFirst ? least = std::min(least, size) : most = std::max(most, size);
  }
  EXPECT_GE(least, most);
  EXPECT_LT(most, 900);
  table.put_first(3, kIds);  // all are
  EXPECT_EQ(use(table, hash_of(7))[1], static_cast<float>(hash_of(7) & 0xffff));
}

TEST(FeatureTable, AHashedTableHoldsWhatIsTaken) {
  constexpr std::size_t kWide = 16;
  FeatureTable table({.bits = 22}, kWide);
  const std::size_t places = std::size_t{4} << 22;
  EXPECT_EQ(table.memory_bytes(), places + 64);
  for (std::uint64_t id = 0; id < 1000; ++id) use(table, hash_of(id % 100));
  EXPECT_EQ(table.memory_bytes(), places + 101 * 64);
  EXPECT_EQ(table.most_memory_bytes(), places + ((std::size_t{64} << 22) + 64));
}

// Bytes that the system counts as the process's, whether or not they were touched.
std::size_t counted_bytes() {
  std::ifstream status("/proc/self/status");
  for (std::string word; status >> word;) {
    if (word != "VmData:") continue;
    std::size_t kilobytes = 0;
    status >> kilobytes;
    return kilobytes << 10;
  }
  ADD_FAILURE() << "no VmData";
  return 0;
}

TEST(TableMemory, ReservedBytesCountOnceTheyAreOpened) {
  constexpr std::size_t kMega = 1 << 20, kAll = 4096 * kMega;
  const std::size_t before = counted_bytes();
  const auto reserved = reserved_bytes(kAll);
  ASSERT_NE(reserved, nullptr);
  EXPECT_LT(counted_bytes(), before + 2 * kMega);
  char* const at = static_cast<char*>(reserved.get());
  std::size_t open = 0, times = 0;
  for (; open < 64 * kMega; ++times) {
    const std::size_t first = std::exchange(open, open_bytes(at, kAll, open, open + 1));
    ASSERT_GT(open, first);
    ASSERT_EQ(std::exchange(at[first], '1'), 0);
    ASSERT_EQ(std::exchange(at[open - 1], '1'), 0);
  }
  EXPECT_LT(times, 10u);
  EXPECT_GE(counted_bytes(), before + 64 * kMega);
  EXPECT_LT(counted_bytes(), before + 96 * kMega);
  EXPECT_EQ(open_bytes(at, kAll, open, kAll + 1), open);
  EXPECT_EQ(open_bytes(at, kAll, open, kAll), kAll);
  EXPECT_EQ(at[kAll - 1], 0);
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

TEST(FeatureTable, MemoryNobodyUsesIsNotTaken) {
  // 2^28 rows, their index and counters: more than a test machine may have.
  FeatureTable table({.bits = 28, .collision_free = true, .admit_after = 2}, kWidth);
  ASSERT_TRUE(table.usable().ok());
  use(table, 5);
  EXPECT_NE(use(table, 5), nullptr);
  FeatureTable hashed({.bits = 28}, kWidth);
  ASSERT_TRUE(hashed.usable().ok());
  EXPECT_NE(use(hashed, 5), nullptr);
  FeatureTable vast({.collision_free = true, .memory_bytes = UINT64_MAX}, 1U << 20);
  EXPECT_FALSE(vast.usable().ok());
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
