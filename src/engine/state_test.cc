#include "engine/state.h"

#include <gtest/gtest.h>

namespace attune {
namespace {

Status put(State& state, const std::string& id) {
  const std::vector<std::string> change = {R"({"op":"put_item","item":{"id":")" + id + "\"}}"};
  return state.control(change, Time{});
}

TEST(State, AChangeLeavesACatalogThatOthersReadAsItWas) {
  State state;
  ASSERT_TRUE(put(state, "a").ok());
  const auto held = state.catalog();
  ASSERT_TRUE(put(state, "b").ok());
  EXPECT_EQ(held->items().size(), 1u);
  EXPECT_EQ(state.catalog()->items().size(), 2u);
}

TEST(State, AChangeLeavesThePublishedCatalogUntilTheNextTick) {
  State state;
  ASSERT_TRUE(put(state, "a").ok());
  state.tick(1, Time{});
  const auto published = state.published();
  ASSERT_TRUE(put(state, "b").ok());
  ASSERT_TRUE(put(state, "c").ok());
  EXPECT_EQ(published->catalog->items().size(), 1u);
  EXPECT_EQ(published->popular.size(), 1u);
  state.tick(2, Time{});
  EXPECT_EQ(published->catalog->items().size(), 1u);
  EXPECT_EQ(state.published()->catalog->items().size(), 3u);
  EXPECT_EQ(state.published()->popular.size(), 3u);
}

// As a replay does it, where a copy for each record would take time by items squared.
TEST(State, ManyChangesBetweenTicksChangeOneCatalog) {
  State state;
  ASSERT_TRUE(put(state, "first").ok());
  const Catalog* const one = state.catalog().get();
  for (int i = 0; i < 1000; ++i) ASSERT_TRUE(put(state, std::to_string(i)).ok());
  EXPECT_EQ(state.catalog().get(), one);
  EXPECT_EQ(one->items().size(), 1001u);
}

TEST(State, ARefusedChangeChangesNothing) {
  State state;
  ASSERT_TRUE(put(state, "a").ok());
  ASSERT_TRUE(put(state, "b").ok());
  EXPECT_FALSE(put(state, "").ok());
  EXPECT_EQ(state.catalog()->items().size(), 2u);
}

}  // namespace
}  // namespace attune
