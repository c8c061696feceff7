#include "simulate/oracle.h"

#include <gtest/gtest.h>

namespace attune {
namespace {

TEST(Oracle, AgreesWithTheWorldsOwnRate) {
  const World world(1);
  Oracle oracle(world);
  Rng rng(7);
  for (int round = 0; round < 300; ++round) {
    const std::size_t person = rng.below(kWorldPersons);
    const double day = 60 * rng.uniform();
    std::vector<std::size_t> excluded;
    std::vector<bool> is_excluded(kWorldItems, false);
    for (std::uint64_t i = rng.below(30); i > 0; --i) {
      excluded.push_back(rng.below(kWorldItems));
      is_excluded[excluded.back()] = true;
    }
    // Floats may swap two items of nearly equal chance, no more.
    EXPECT_NEAR(oracle.rate(person, day, excluded, 5),
                world.oracle_rate(person, day, is_excluded, 5), 1e-5)
        << "person " << person << " day " << day;
  }
}

TEST(Oracle, HasNothingToShowWhenAllIsExcluded) {
  const World world(2);
  Oracle oracle(world);
  std::vector<std::size_t> all(kWorldItems);
  for (std::size_t i = 0; i < kWorldItems; ++i) all[i] = i;
  EXPECT_EQ(oracle.rate(3, 1, all, 5), 0);
  all.pop_back();
  EXPECT_DOUBLE_EQ(oracle.rate(3, 1, all, 5), world.p_click(3, kWorldItems - 1, 1));
}

}  // namespace
}  // namespace attune
