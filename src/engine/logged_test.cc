#include <map>

#include "engine/test_workspace.h"

namespace attune {
namespace {

TEST(Engagements, AreToldByPersonAndOnlyWhenAnItemWasTaken) {
  const TempFolder folder;
  const auto engine = open_engine(folder.workspace());
  Event view = click("ann", "i1", begin_time(), "m0");
  view.verb = Verb::kView;
  Event no_item = click("ann", "", begin_time(), "m1");
  ASSERT_TRUE(ingest(*engine, {view, no_item, click("ann", "i2", begin_time(), "m2"),
                               click("bob", "i3", begin_time(), "m3"),
                               click("ann", "i3", begin_time(), "m4")})
                  .ok());
  std::map<std::uint64_t, std::vector<std::string>> taken;
  ASSERT_TRUE(engine
                  ->engagements([&](std::uint64_t person, const Event& event) {
                    taken[person].push_back(event.item_id);
                  })
                  .ok());
  const auto ann = engine->person_number(IdType::kUser, "ann");
  const auto bob = engine->person_number(IdType::kUser, "bob");
  ASSERT_TRUE(ann && bob);
  EXPECT_EQ(taken.size(), 2U);
  EXPECT_EQ(taken[*ann], (std::vector<std::string>{"i2", "i3"}));
  EXPECT_EQ(taken[*bob], (std::vector<std::string>{"i3"}));
  EXPECT_FALSE(engine->person_number(IdType::kUser, "eve"));
  EXPECT_FALSE(engine->person_number(IdType::kAnonymous, "ann"));
  ASSERT_TRUE(engine->close().ok());
}

TEST(Engagements, LinkedIdentitiesAreOnePersonAndTheErasedAreGone) {
  const TempFolder folder;
  const auto engine = open_engine(folder.workspace());
  Event before = click("", "i1", begin_time(), "m0");
  before.anonymous_id = "a-1";
  Event login = identify("ann", "{}", begin_time(), "m1");
  login.anonymous_id = "a-1";
  ASSERT_TRUE(ingest(*engine, {before, login, click("ann", "i2", begin_time(), "m2"),
                               click("bob", "i2", begin_time(), "m3")})
                  .ok());
  ASSERT_TRUE(engine->erase(IdType::kUser, "bob").ok());
  std::map<std::uint64_t, int> taken;
  ASSERT_TRUE(
      engine->engagements([&](std::uint64_t person, const Event&) { ++taken[person]; }).ok());
  const auto ann = engine->person_number(IdType::kUser, "ann");
  ASSERT_TRUE(ann);
  EXPECT_EQ(engine->person_number(IdType::kAnonymous, "a-1"), ann);
  EXPECT_EQ(taken, (std::map<std::uint64_t, int>{{*ann, 2}}));
  ASSERT_TRUE(engine->close().ok());
}

}  // namespace
}  // namespace attune
