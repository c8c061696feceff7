#include "model/id_sums.h"

#include <gtest/gtest.h>

#include <map>

#include "base/rng.h"

namespace attune {
namespace {

constexpr int kBits = 14;

struct Twin {
  IdSums sums{kBits};
  std::map<std::uint32_t, IdSums::Sums> plain;
};

Twin of_random_ids(std::size_t rows) {
  Rng rng(1);
  Twin out;
  for (std::size_t i = 0; i < rows; ++i) {
    // Half of them side by side in their lowest bits, where others stand already.
    const auto hash =
        static_cast<std::uint32_t>(rng.chance(0.5) ? rng.below(1ULL << 32) : rng.below(300) << 10);
    const IdSums::Sums more{static_cast<float>(1 + rng.below(3)), rng.chance(0.3) ? 1.0F : 0.0F};
    out.sums.add(hash, more);
    IdSums::Sums& plain = out.plain[hash % (1 << kBits)];
    plain.rows += more.rows;
    plain.labels += more.labels;
  }
  return out;
}

TEST(IdSums, AgreeWithTheirPlainTwin) {
  const auto [sums, plain] = of_random_ids(20'000);
  EXPECT_EQ(sums.size(), plain.size());
  for (std::uint32_t id = 0; id < 1 << kBits; ++id) {
    const auto wanted = plain.find(id);
    const IdSums::Sums found = sums.find(id + (7U << kBits));  // higher bits say nothing
    ASSERT_EQ(found.rows, wanted == plain.end() ? 0 : wanted->second.rows);
    ASSERT_EQ(found.labels, wanted == plain.end() ? 0 : wanted->second.labels);
  }
  EXPECT_EQ(IdSums(kBits).find(5).rows, 0);
}

TEST(IdSums, AreReadBackAsTheyWere) {
  const auto [sums, plain] = of_random_ids(5000);
  std::string bytes, again;
  sums.encode(bytes);
  IdSums back(kBits);
  Reader reader(bytes);
  ASSERT_TRUE(back.restore(reader));
  EXPECT_TRUE(reader.done());
  back.encode(again);
  EXPECT_EQ(again, bytes);
  for (const auto& [id, wanted] : plain) ASSERT_EQ(back.find(id).labels, wanted.labels);
  IdSums fewer(kBits - 1);
  Reader beyond(bytes);
  EXPECT_FALSE(fewer.restore(beyond));  // ids that are none of its
}

}  // namespace
}  // namespace attune
