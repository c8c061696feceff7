#include "learn/search_space.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "model/model.h"

namespace attune {
namespace {

TEST(SearchSpace, EverySettingIsOneOfItsKindAndInRange) {
  const auto kinds = model_kinds();
  for (const SearchKind& searched : search_kinds()) {
    const auto kind = std::ranges::find(kinds, searched.kind, &ModelKind::name);
    ASSERT_NE(kind, kinds.end()) << searched.kind;
    for (const SearchRange& range : searched.ranges) {
      const auto setting = std::ranges::find(kind->settings, range.setting, &Setting::name);
      ASSERT_NE(setting, kind->settings.end()) << searched.kind << " " << range.setting;
      EXPECT_LT(range.low, range.high);
      EXPECT_GE(range.low, setting->low) << range.setting;
      EXPECT_LE(range.high, setting->high) << range.setting;
    }
  }
}

TEST(SearchSpace, TheFirstTryIsTheKindItselfTheOthersAreDrawnInRange) {
  for (const SearchKind& kind : search_kinds()) {
    EXPECT_TRUE(settings_to_try(kind, 0, 1).empty());
    EXPECT_EQ(settings_to_try(kind, 3, 1), settings_to_try(kind, 3, 1));
    EXPECT_NE(settings_to_try(kind, 3, 1), settings_to_try(kind, 3, 2));
    std::set<double> firsts;
    for (std::size_t n = 1; n < 200; ++n) {
      const auto drawn = settings_to_try(kind, n, 1);
      ASSERT_EQ(drawn.size(), kind.ranges.size());
      for (std::size_t i = 0; i < drawn.size(); ++i) {
        EXPECT_GE(drawn[i].second, kind.ranges[i].low * 0.995);
        EXPECT_LE(drawn[i].second, kind.ranges[i].high * 1.005);
      }
      firsts.insert(drawn[0].second);
    }
    EXPECT_GT(firsts.size(), 3) << kind.kind;
  }
}

}  // namespace
}  // namespace attune
