#include "feature/derive_live.h"

#include <gtest/gtest.h>

namespace attune {
namespace {

struct World {
  Catalog catalog;
  LiveSample sample;
  World() {
    for (int i = 0; i < 40; ++i) {
      const std::string n = std::to_string(i);
      EXPECT_TRUE(catalog
                      .apply(R"({"op":"put_item","item":{"id":"i)" + n + R"(","category":"c)" +
                                 std::to_string(i % 4) + R"(","brand":"b)" + std::to_string(i % 5) +
                                 R"(","sku":"s)" + n + R"(","weight":)" + std::to_string(i * i) +
                                 R"(,"vector":[1,2]}})",
                             Time{})
                      .ok());
      sample.add_traits(R"({"plan":")" + std::string(i % 2 ? "gold" : "free") +
                        R"(","gender":"f","email":"x)" + n + R"(","cart":{"a":1}})");
      sample.add_context(R"({"device":")" + std::string(i % 3 ? "phone" : "desk") + "\"}");
    }
    for (int i = 0; i < 1234; ++i) sample.add_event(Verb::kClick);
  }
  std::string reason(const std::vector<std::string>& allow, std::string_view of) const {
    for (const PlanReason& one : derive_live_plan(sample, catalog, allow).reasons) {
      if (one.of == of) return one.reason;
    }
    return "none";
  }
};

TEST(DeriveLivePlan, GivesOneReasonAnInput) {
  const World world;
  const std::pair<const char*, const char*> cases[] = {
      {"person", "plan: 2 values in 40 events: crossed with the words of items"},
      {"person.gender", "sensitive (gender), allow = [\"gender\"] lets it in: left out"},
      {"person.email", "40 values in 40 events, too rare to teach anything: left out"},
      {"item.brand", "5 values in 40 items: category"},
      {"item.sku", "40 values in 40 items, too rare to teach anything: left out"},
      {"item.weight", "number 0-1521 of 40 items: in 5 bins"},
      {"item.vector", "40 of 40 items have one: how near to the person's last items"},
      {"person.click", "1,234 clicks: the categories of the last 5 crossed with that of the item"},
      {"context.device", "2 values in 40 requests: crossed with the item's category"},
  };
  for (const auto& [of, reason] : cases) EXPECT_EQ(world.reason({}, of), reason) << of;
  EXPECT_EQ(world.reason({"gender"}, "person.gender"), "always the same value: left out");
}

TEST(DeriveLivePlan, ItsTextIsAPlan) {
  const World world;
  const DerivedPlan derived = derive_live_plan(world.sample, world.catalog, {});
  const auto plan = Plan::declare(derived.toml(), "p");
  ASSERT_TRUE(plan.ok()) << plan.error().message << derived.toml();
  EXPECT_EQ(*plan, derived.plan);
  EXPECT_FALSE(plan->is_for_table());
}

TEST(DeriveLivePlan, AnEmptyWorkspaceGetsWhatEveryOneBeginsWith) {
  const DerivedPlan derived = derive_live_plan(LiveSample{}, Catalog{}, {});
  EXPECT_EQ(derived.plan.features.size(), default_plan().features.size() - 1);
}

}  // namespace
}  // namespace attune
