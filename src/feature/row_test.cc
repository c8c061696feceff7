#include "feature/row.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

namespace attune {
namespace {

const Time kNow = time_from_us(1'800'000'000'000'000);

struct World {
  Profile person;
  Counters counters;
  Item item;
  World() {
    person.traits = {
        {"age", "\"25-34\""}, {"deep", "{\"a\":1}"}, {"none", "null"}, {"pro", "true"}};
    Affinity sport;
    sport.shown.add(kNow, 10);
    sport.engaged.add(kNow, 5);
    Interest interest{.topic = topic_of("sport"), .as_of_h = whole_hours(whole_seconds(kNow))};
    interest.set(0.75F, 0.25F);
    person.interests = {interest};
    counters.all.shown.add(kNow, 1000);
    counters.all.engaged.add(kNow, 100);
    item.id = "i1";
    item.key = item_key("i1");
    item.category = "sport";
    for (int i = 0; i < 10; ++i) item.tags.push_back("t" + std::to_string(i));
    item.topics = topics_of(item.category, item.tags);
    item.price = 9;
    item.created = kNow - seconds(86400);
    counters.items.change(item.key) = sport;
  }
  RowBuilder builder() const {
    return RowBuilder(default_plan(), person, counters, {.placement = "home", .now = kNow});
  }
};

const Part* find(const std::vector<Part>& parts, const std::string& name) {
  const auto it =
      std::find_if(parts.begin(), parts.end(), [&](const Part& p) { return p.name == name; });
  return it == parts.end() ? nullptr : &*it;
}

TEST(Row, BuildAndExplainAgreeAndSumToTheLogit) {
  const World world;
  const RowBuilder builder = world.builder();
  std::vector<Feature> row;
  builder.build(world.item, 0.5F, row);
  const auto parts = builder.explain(world.item, 0.5F);
  ASSERT_EQ(row.size(), parts.size());
  Ftrl model({});
  for (int i = 0; i < 50; ++i) model.learn(row, i % 3 == 0);
  double sum = 0;
  for (std::size_t i = 0; i < row.size(); ++i) {
    EXPECT_EQ(row[i].hash, parts[i].hash);
    EXPECT_EQ(row[i].value, parts[i].value);
    sum += static_cast<double>(model.weight(parts[i].hash)) * parts[i].value;
  }
  EXPECT_NE(sum, 0);
  EXPECT_NEAR(sum, model.logit(row), 1e-6);
}

TEST(Row, IdsBeginWithTheFeatureOfThePlan) {
  const World world;
  const auto parts = world.builder().explain(world.item, 0.5F);
  const Plan plan = default_plan();
  for (const auto& [name, kind] :
       {std::pair{"bias", FeatureKind::kBias}, std::pair{"item=i1", FeatureKind::kItem},
        std::pair{"topic=sport", FeatureKind::kTopic},
        std::pair{"topic=t7", FeatureKind::kTopic}}) {
    const auto at = std::find_if(plan.features.begin(), plan.features.end(),
                                 [&, wanted = kind](const auto& f) { return f.kind == wanted; });
    ASSERT_NE(at, plan.features.end());
    ASSERT_TRUE(find(parts, name)) << name;
    EXPECT_EQ(live_field(find(parts, name)->hash), at - plan.features.begin()) << name;
  }
  EXPECT_EQ(live_field(live_id(40, 123)), kLiveFields - 1);
  EXPECT_EQ(live_id(3, 0xffffffffffffffffU), 0x1fffffffU);
}

TEST(Row, NamesAndValues) {
  const World world;
  const auto parts = world.builder().explain(world.item, 0.5F);
  const std::pair<const char*, float> expected[] = {{"bias", 1},
                                                    {"placement=home", 1},
                                                    {"item=i1", 0.3F},
                                                    {"topic=sport", 1},
                                                    {"topic=t7", kTagWeight},
                                                    {"age=25-34 x topic=sport", 1},
                                                    {"pro=true x topic=t0", kTagWeight}};
  for (const auto& [name, value] : expected) {
    ASSERT_TRUE(find(parts, name)) << name;
    EXPECT_EQ(find(parts, name)->value, value) << name;
  }
  EXPECT_FALSE(find(parts, "none=null x topic=t0"));
  EXPECT_NEAR(find(parts, "neighbour")->value, std::log1p(0.5), 1e-6);
  EXPECT_NEAR(find(parts, "item_age")->value, 0.2 * std::log(2), 1e-5);
  EXPECT_NEAR(find(parts, "price")->value, 0.2 * std::log(10), 1e-5);
  EXPECT_NEAR(find(parts, "interest")->value, 0.75, 1e-3);
  EXPECT_FALSE(find(parts, "activity"));
  EXPECT_GT(find(parts, "item_rate")->value, 0.5);
}

TEST(Row, NothingKnownIsABareRow) {
  const Profile nobody;
  const Counters none;
  const Item bare;
  const RowBuilder builder(default_plan(), nobody, none, {.placement = "home", .now = kNow});
  EXPECT_EQ(builder.explain(bare, 0).size(), 3u);  // bias, placement, item
  EXPECT_NEAR(smoothed_rate({}, 0.25, kNow), 0.25, 1e-9);
}

TEST(Row, BuildDoesNotAllocateIntoReservedSpace) {
  const World world;
  const RowBuilder builder = world.builder();
  std::vector<Feature> row;
  row.reserve(200);
  const Feature* data = row.data();
  builder.build(world.item, 1, row);
  EXPECT_EQ(row.data(), data);
}

}  // namespace
}  // namespace attune
