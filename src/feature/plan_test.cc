#include "feature/plan.h"

#include <gtest/gtest.h>

#include <fstream>
#include <iterator>

#include "feature/plan_kinds.h"
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

// Kinds and keys of declared inputs: what is refused, and how it is said.
TEST(Plan, SaysWhatIsWrongWithInputs) {
  const std::pair<const char*, const char*> cases[] = {
      {"kind = \"category\"", "p line 1: a category needs of = \"INPUT\""},
      {"kind = \"category\"\nof = \"persn.job\"",
       "p line 3: persn.job is no input of a category, did you mean person?: it begins with one of "
       "person, item, context, column"},
      {"kind = \"category\"\nof = \"person\"",
       "p line 3: person names nothing: person.NAME is an input"},
      {"kind = \"cross\"\nof = \"item.a\"", "p line 3: a cross is of 2 to 4 inputs"},
      {"kind = \"cross\"\nof = [\"item.a\", \"item.a\"]", "p line 3: item.a is named twice"},
      {"kind = \"cross\"\nof = [\"item.a\", \"column.a\"]",
       "p line 3: columns cannot be crossed with inputs of a decision"},
      {"kind = \"bins\"\nof = \"item.a\"", "p line 1: bins of a decision need edges"},
      {"kind = \"bins\"\nof = \"item.a\"\nedges = [2, 1]",
       "p line 4: edges must be ascending numbers"},
      {"kind = \"number\"\nof = \"item.a\"\nmissing = false",
       "p line 4: missing is for inputs of a table"},
      {"kind = \"number\"\nof = \"column.a\"\ncenter = 2",
       "p line 4: center is for inputs of a decision"},
      {"kind = \"number\"\nof = \"column.a\"\nbins = 2",
       "p line 4: a feature of kind number has no bins"},
      {"kind = \"sequence\"\nof = \"person.clik\"\nby = \"item\"",
       "p line 3: of is clik, did you mean click?"},
      {"kind = \"sequence\"\nof = \"person.click\"\nby = \"brand\"",
       "p line 4: by is brand: must be one of item, category"},
      {"kind = \"sequence\"\nof = \"column.h\"\nas = \"column.i\"",
       "p line 1: as = column.i: the plan has no category of it"},
      {"kind = \"sequence\"\nof = \"column.h\"\nas = \"item.id\"",
       "p line 4: as must be a column.NAME"},
      {"kind = \"sequence\"\nof = \"column.h\"\nas = \"column.h\"",
       "p line 4: as = column.h: it is of itself"},
      {"kind = \"sequence\"\nof = \"person.click\"\nas = \"item.brand\"",
       "p line 4: as is item.brand: must be one of item.id, item.category"},
      {"kind = \"sequence\"\nof = \"person.click\"\nas = \"item.id\"\nby = \"item\"",
       "p line 5: by crosses entries, as does not: one of them"},
      {"kind = \"bag\"\nof = \"column.h\"\nas = \"column.i\"",
       "p line 4: a feature of kind bag has no as"},
      {"kind = \"vector\"\nof = \"item.vec\"", "p line 3: the vector of an item is item.vector"},
      {"kind = \"count\"\nof = \"person\"\nverb = \"click\"",
       "p line 1: window is missing: must be one of 1h, 24h, 7d, 30d"},
      {"kind = \"count\"\nof = \"person.job\"\nverb = \"click\"\nwindow = \"1h\"",
       "p line 3: person.job must be person or item alone"},
      {"kind = \"time\"\nof = \"column.t\"\npart = \"hours\"",
       "p line 4: part is hours, did you mean hour?: must be one of hour, weekday"},
  };
  for (const auto& [text, message] : cases) {
    const auto plan = Plan::parse("[[feature]]\n" + std::string(text) + "\n", "p");
    ASSERT_FALSE(plan.ok()) << text;
    EXPECT_EQ(plan.error().message.substr(0, std::string(message).size()), message);
  }
  const auto twice = Plan::parse(
      "[[feature]]\nkind = \"category\"\nof = \"item.a\"\n"
      "[[feature]]\nkind = \"category\"\nof = \"item.a\"\nscale = 2\n",
      "p");
  ASSERT_FALSE(twice.ok());
  EXPECT_EQ(twice.error().message, "p line 4: feature 2 is feature 1 again");
}

// Every plan shown in the reference is one, and survives its own text.
TEST(Plan, TheReferencesExamplesAreUnderstood) {
  std::ifstream file("docs/reference/plan.md");
  ASSERT_TRUE(file);
  const std::string page{std::istreambuf_iterator<char>(file), {}};
  int seen = 0;
  std::string used;
  for (auto at = page.find("```toml\n"); at != std::string::npos; at = page.find("```toml\n", at)) {
    const auto begin = at + 8, end = page.find("```", begin);
    const auto plan = Plan::declare(page.substr(begin, end - begin), "plan.md");
    ASSERT_TRUE(plan.ok()) << plan.error().message;
    const auto again = Plan::declare(plan->toml(), "again");
    ASSERT_TRUE(again.ok()) << again.error().message;
    EXPECT_EQ(*again, *plan);
    for (const PlanFeature& f : plan->features) used += " " + std::string(kind_name(f.kind)) + " ";
    at = end;
    ++seen;
  }
  EXPECT_EQ(seen, 4);
  for (const FeatureKindRow& row : feature_kinds()) {
    EXPECT_NE(page.find("`" + std::string(row.name) + "`"), std::string::npos) << row.name;
    if (!row.sources.empty()) {
      EXPECT_NE(used.find(" " + std::string(row.name) + " "), std::string::npos) << row.name;
    }
  }
}

}  // namespace
}  // namespace attune
