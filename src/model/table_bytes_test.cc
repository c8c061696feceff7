// Tables that are saved and read again: copied, mapped, of earlier forms, damaged.
#include <gtest/gtest.h>

#include <bit>
#include <cstring>
#include <map>

#include "base/rng.h"
#include "model/feature_table.h"

namespace attune {
namespace {

constexpr std::size_t kBits = 8;

// By width, 4 by slot and 8 in the order of first use.
RowOrder order_of(std::size_t width) {
  return width == 4 ? RowOrder::kBySlot : RowOrder::kByFirstUse;
}

class TableBytes : public testing::TestWithParam<std::size_t> {
 protected:
  FeatureTable empty_table(int bits = kBits) {
    return FeatureTable({.bits = bits}, GetParam(), order_of(GetParam()));
  }
};

// Rows of eight features; `slots`: how many there are ids for.
std::vector<std::vector<Feature>> rows_of(std::uint64_t seed, std::uint64_t slots) {
  Rng rng(seed);
  std::vector<std::vector<Feature>> rows(50, std::vector<Feature>(11));
  for (auto& row : rows) {
    for (Feature& f : row) {
      f = {static_cast<std::uint32_t>(rng.below(slots) | rng.below(3) << kBits), 1};
    }
  }
  return rows;
}

// Every use adds to what the row holds.
void learn(FeatureTable& table, const std::vector<std::vector<Feature>>& rows) {
  FoundRows found;
  for (const auto& row : rows) {
    ASSERT_TRUE(table.take(row, found));
    for (std::size_t i = 0; i < found.size; ++i) {
      for (std::size_t k = 1; k < table.width(); ++k) found.at[i][k] += static_cast<float>(i + k);
    }
  }
}

std::string saved(const FeatureTable& table) {
  std::string bytes;
  StringSink to(bytes);
  ModelSink sink(to);
  table.encode(sink);
  sink.seal();
  return bytes;
}

bool restore(FeatureTable& table, std::string_view bytes, std::shared_ptr<void> owner = nullptr) {
  ModelSource source{bytes, Reader(bytes.substr(0, bytes.size() - 8)), std::move(owner)};
  return table.restore(source) && source.reader.done();
}

// As of a file that is mapped.
struct Mapped {
  explicit Mapped(const std::string& bytes)
      : memory(zeroed_bytes(bytes.size())), all(static_cast<char*>(memory.get()), bytes.size()) {
    std::memcpy(memory.get(), bytes.data(), bytes.size());
  }
  std::shared_ptr<void> memory;
  std::string_view all;
};

bool lies_in(const FeatureTable& table, std::string_view bytes, std::uint32_t hash) {
  FoundRows found;
  EXPECT_TRUE(table.find(std::vector<Feature>{{hash, 1}}, found));
  const auto* const at = reinterpret_cast<const char*>(found.at[0]);
  return at >= bytes.data() && at < bytes.data() + bytes.size();
}

TEST_P(TableBytes, ARestoredTableGoesOnAsIfItHadNeverStopped) {
  for (const std::uint64_t slots : {20u, 256u}) {
    FeatureTable table = empty_table(), back = empty_table(), mapped = empty_table();
    learn(table, rows_of(1, slots));
    const std::string bytes = saved(table);
    const Mapped file(bytes);
    ASSERT_TRUE(restore(back, bytes));
    ASSERT_TRUE(restore(mapped, file.all, file.memory));
    EXPECT_EQ(saved(back), bytes);
    EXPECT_EQ(saved(mapped), bytes);
    EXPECT_EQ(back.memory_bytes(), table.memory_bytes());
    for (FeatureTable* const one : {&table, &back, &mapped}) learn(*one, rows_of(2, 256));
    EXPECT_GE(table.counts().rows, 200u);
    EXPECT_EQ(saved(back), saved(table));
    EXPECT_EQ(saved(mapped), saved(table));
    EXPECT_EQ(mapped.counts().rows, table.counts().rows);
    EXPECT_EQ(mapped.counts().shared_uses, table.counts().shared_uses);
  }
}

TEST_P(TableBytes, AMappedTableIsReadInPlaceUnlessBySlotAndLearnsBesideItsFile) {
  FeatureTable table = empty_table(), mapped = empty_table();
  const auto rows = rows_of(1, 20);
  learn(table, rows);
  const std::string bytes = saved(table);
  const Mapped file(bytes);
  ASSERT_TRUE(restore(mapped, file.all, file.memory));
  const bool is_in_place = GetParam() > 4;
  EXPECT_EQ(lies_in(mapped, file.all, rows[0][0].hash), is_in_place);
  EXPECT_EQ(lies_in(mapped, file.all, 255), is_in_place);  // of which it knows nothing
  learn(mapped, rows_of(2, 256));
  EXPECT_FALSE(lies_in(mapped, file.all, rows[0][0].hash));
  EXPECT_EQ(file.all, bytes);
}

TEST_P(TableBytes, FewIdsAreFewBytes) {
  FeatureTable table = empty_table(20);
  learn(table, rows_of(1, 20));
  EXPECT_LT(saved(table).size(), 61 * GetParam() * 4 + 348u);  // 61 rows, 60 slots of 4
}

std::string changed(std::string bytes, std::size_t at, char value) {
  bytes[at] = value;
  return bytes;
}

TEST_P(TableBytes, ASlotTwiceOrBeyondTheTableIsRefused) {
  FeatureTable table = empty_table();
  learn(table, {{{7, 1}, {9, 1}}});
  const std::string bytes = saved(table);
  const auto is_read = [this](const std::string& of) {
    FeatureTable to = empty_table();
    return restore(to, of);
  };
  // Rows learned, four counts, form, rows taken; two slots; zeros, the row of zeros, two rows.
  ASSERT_EQ(bytes.size(), 64u + 3 * GetParam() * 4 + 8);
  ASSERT_EQ(bytes.substr(5, 10), std::string("\2\2\7\0\0\0\11\0\0\0", 10));
  EXPECT_TRUE(is_read(bytes));
  EXPECT_TRUE(is_read(changed(bytes, 11, 8)));
  EXPECT_FALSE(is_read(changed(bytes, 11, 7)));
  EXPECT_FALSE(is_read(changed(bytes, 12, 1)));
  EXPECT_FALSE(is_read(changed(bytes, 6, 3)));
  EXPECT_FALSE(is_read(changed(bytes, 5, 3)));
  EXPECT_FALSE(is_read(changed(bytes, 64 + 5, 1)));                // not zeros
  EXPECT_EQ(is_read(changed(bytes, 64 + 16, 0)), GetParam() > 4);  // by slot: a row of nobody
  EXPECT_FALSE(is_read(bytes.substr(1)));
  FeatureTable collision_free({.bits = kBits, .collision_free = true}, GetParam());
  EXPECT_FALSE(restore(collision_free, bytes));
}

// Hashed tables as they were written before: by slot.
std::string earlier(const FeatureTable& table, bool is_row_by_row) {
  std::string bytes;
  Writer w(bytes);
  w.varint(0);
  for (const std::uint64_t count : {table.counts().shared_uses, {}, {}, {}}) w.varint(count);
  w.u8(is_row_by_row ? 0 : 1);
  if (!is_row_by_row) {
    w.varint(table.counts().rows);
    bytes.resize(64);
  }
  std::uint32_t last = 0;
  for (std::uint32_t slot = 0; slot < 1U << kBits; ++slot) {
    FoundRows found;
    EXPECT_TRUE(table.find(std::vector<Feature>{{slot, 1}}, found));
    const bool is_taken = std::bit_cast<std::uint32_t>(found.at[0][0]) != 0;
    if (is_row_by_row && !is_taken) continue;
    if (is_row_by_row) w.varint(slot - last + 1);
    last = slot;
    bytes.append(reinterpret_cast<const char*>(found.at[0]), table.width() * sizeof(float));
  }
  if (is_row_by_row) w.varint(0);
  w.u64(0);
  return bytes;
}

// The first floats of a row for each slot, by which all others are found to be the same.
std::map<std::uint32_t, std::vector<float>> contents(const FeatureTable& table) {
  std::map<std::uint32_t, std::vector<float>> all;
  for (std::uint32_t slot = 0; slot < 1U << kBits; ++slot) {
    FoundRows found;
    EXPECT_TRUE(table.find(std::vector<Feature>{{slot, 1}}, found));
    all[slot].assign(found.at[0], found.at[0] + table.width());
  }
  return all;
}

TEST_P(TableBytes, TheFormsBeforeAreRead) {
  for (const std::uint64_t slots : {20u, 250u}) {
    for (const bool is_row_by_row : {true, false}) {
      FeatureTable table = empty_table(), back = empty_table(), mapped = empty_table();
      learn(table, rows_of(1, slots));
      const std::string bytes = earlier(table, is_row_by_row);
      const Mapped file(bytes);
      ASSERT_TRUE(restore(back, bytes));
      ASSERT_TRUE(restore(mapped, file.all, file.memory));
      EXPECT_EQ(contents(back), contents(table));
      for (FeatureTable* const one : {&table, &back, &mapped}) learn(*one, rows_of(2, 256));
      EXPECT_EQ(contents(back), contents(table));
      EXPECT_EQ(contents(mapped), contents(table));
      EXPECT_EQ(back.counts().rows, table.counts().rows);
      EXPECT_EQ(back.counts().shared_uses, table.counts().shared_uses);
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Widths, TableBytes, testing::Values(4, 8),
                         [](const auto& of) { return std::to_string(of.param); });

}  // namespace
}  // namespace attune
