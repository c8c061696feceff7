#include "decide/slate_tally.h"

#include <gtest/gtest.h>

#include <cmath>

namespace attune {
namespace {

const Time kNow = time_from_us(1'800'000'000'000'000);

Decision slate(std::initializer_list<const char*> items) {
  Decision d;
  d.time = kNow;
  for (const char* id : items) {
    ShownItem& item = d.shown.emplace_back();
    item.item_id = id;
    item.p_click = 0.25F;
  }
  return d;
}

TEST(SlateTally, ByHand) {
  Catalog catalog;
  for (const char* item :
       {R"("id":"a","category":"x")", R"("id":"b","category":"x")", R"("id":"c","category":"y")",
        R"("id":"d","category":"z")", R"("id":"h","is_hidden":true)"}) {
    const std::string json = "{\"op\":\"put_item\",\"item\":{" + std::string(item) + "}}";
    ASSERT_TRUE(catalog.apply(json, kNow - seconds(2 * 86400)).ok());
  }
  SlateTally tally(catalog);
  EXPECT_EQ(tally.figures().slates, 0U);
  const Decision global = slate({"a", "b", "q"});
  tally.add(slate({"a", "b", "c", "d"}), global);  // c and d are not in the global one: near
  tally.add(slate({"a", "b"}), slate({"c"}));      // two of two others: near, too
  tally.add(slate({"b", "c", "d"}), slate({"a"}));
  tally.add(slate({}), global);
  const SlateFigures f = tally.figures();
  EXPECT_EQ(f.slates, 3U);
  EXPECT_DOUBLE_EQ(f.places, 3);
  EXPECT_DOUBLE_EQ(f.categories, (3 + 1 + 3) / 3.0);
  EXPECT_NEAR(f.entropy_bits, (1.5 + 0 + std::log2(3)) / 3, 1e-12);
  EXPECT_DOUBLE_EQ(f.clicks, (1 + 0.5 + 0.75) / 3);
  EXPECT_DOUBLE_EQ(f.age_days, 2);
  EXPECT_EQ(f.items, 4U);
  EXPECT_DOUBLE_EQ(f.coverage, 1);
  EXPECT_DOUBLE_EQ(f.top_ten, 1);
  EXPECT_DOUBLE_EQ(f.near_global, 2.0 / 3);
}

TEST(SlateTally, TheTopTenAreOfAllPlaces) {
  const Catalog catalog;
  SlateTally tally(catalog);
  for (int i = 0; i < 20; ++i) tally.add(slate({std::to_string(i).c_str()}), slate({}));
  tally.add(slate({"0", "1"}), slate({}));
  EXPECT_DOUBLE_EQ(tally.figures().top_ten, 12.0 / 22);
}

}  // namespace
}  // namespace attune
