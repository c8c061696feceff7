#include "feature/plan.h"

#include <gtest/gtest.h>

#include "feature/row.h"

namespace attune {
namespace {

TEST(Plan, TheDefaultSurvivesItsOwnText) {
  const auto again = Plan::parse(default_plan().toml(), "plan.toml");
  ASSERT_TRUE(again.ok()) << again.error().message;
  EXPECT_EQ(again->toml(), default_plan().toml());
}

TEST(Plan, SaysWhatIsWrongAndWhere) {
  const std::pair<const char*, const char*> cases[] = {
      {"[[feature]]\nkind = \"intrest\"\n",
       "p line 2: unknown kind intrest, did you mean interest?"},
      {"[[feature]]\nkind = \"item\"\nscale = 0\n",
       "p line 3: scale must be a number in [0.001, 1000]"},
      {"[[feature]]\nkind = \"item\"\nscal = 1\n",
       "p line 3: unknown key scal, did you mean scale?"},
      {"[[feature]]\nscale = 1\n", "p line 1: a feature needs a kind"},
      {"[[feature]]\nkind = \"price\"\ntraits = [\"age\"]\n",
       "p line 3: a feature of kind price has no traits"},
      {"[[feature]]\nkind = \"trait\"\ntraits = [1]\n", "p line 3: traits must be a list of texts"},
      {"x = 1\n", "p line 1: unknown key x, a plan is a list of [[feature]]"},
      {"", "p: no [[feature]] in it"},
  };
  for (const auto& [text, message] : cases) {
    const auto plan = Plan::parse(text, "p");
    ASSERT_FALSE(plan.ok()) << text;
    EXPECT_EQ(plan.error().code, Code::kInvalid);
    EXPECT_EQ(plan.error().message, message);
  }
  EXPECT_FALSE(Plan::parse("[[feature", "p").ok());
  EXPECT_FALSE(Plan::parse(std::string(kPlanBytes + 1, '#'), "p").ok());
}

TEST(Plan, MakesTheRow) {
  const auto plan =
      Plan::parse("[[feature]]\nkind = \"trait_topic\"\ntraits = [\"age\"]\nscale = 0.5\n", "p");
  ASSERT_TRUE(plan.ok());
  Profile person;
  person.traits = {{"age", "\"25-34\""}, {"city", "\"Ulm\""}};
  Item item;
  item.category = "sport";
  item.topics = topics_of(item.category, item.tags);
  const Counters none;
  const auto parts = RowBuilder(*plan, person, none, {.placement = "home"}).explain(item, 0);
  ASSERT_EQ(parts.size(), 1u);
  EXPECT_EQ(parts[0].name, "age=25-34 x topic=sport");
  EXPECT_EQ(parts[0].value, 0.5F);
}

}  // namespace
}  // namespace attune
