#include "feature/live_step.h"

#include <gtest/gtest.h>

#include <cmath>
#include <map>

#include "feature/row.h"

namespace attune {
namespace {

const Time kNow = time_from_us(1'795'612'000'000'000);  // 2026-11-25T13:06:40Z, a Wednesday
using Values = std::map<std::string, float>;

// A person and three items; rows are of "shoe".
struct World {
  Catalog catalog;
  Profile person;
  Counters counters;
  World() {
    for (
        const char* item :
        {R"({"id":"shoe","category":"run","tags":["red","new"],"price":9,"brand":"ace","colors":["red","blue"],)"
         R"("attributes":{"weight_g":300},"vector":[1,0],"created":"2026-11-24T13:06:40Z"})",
         R"({"id":"hat","category":"sun","vector":[0,2]})",
         R"({"id":"cap","category":"sun","vector":[3,0]})"}) {
      const std::string put = R"({"op":"put_item","item":)" + std::string(item) + "}";
      EXPECT_TRUE(catalog.apply(put, kNow).ok());
    }
    person.traits = {{"age", "41"},
                     {"gender", "\"f\""},
                     {"job", "\"nurse\""},
                     {"langs", "[\"de\",\"fr\",\"de\"]"}};
    const auto touch = [&](const char* item, double ago, Verb verb) {
      return Touch{item_key(item), whole_seconds(kNow - seconds(ago)), verb};
    };
    person.touches = {touch("shoe", 50, Verb::kView), touch("hat", 40, Verb::kClick),
                      touch("gone", 30, Verb::kClick), touch("cap", 20, Verb::kClick)};
    DecayedCount clicks;
    clicks.add(kNow, 3);
    person.counts = {{Verb::kClick, clicks}};
    person.shown.add(kNow, 20);
    person.answered.add(kNow, 10);
    Affinity& shoe = counters.items.change(item_key("shoe"));
    shoe.shown.add(kNow, 80);
    shoe.engaged.add(kNow, 40);
    counters.all.shown.add(kNow, 980);
    counters.all.engaged.add(kNow, 99);
  }
  RowMoment moment() const {
    return {.placement = "home",
            .now = kNow,
            .context = R"({"device":"phone","temp":-3,"tags":["a","b"]})",
            .utc_offset_s = 3600 * 12,
            .catalog = &catalog};
  }
  // The features of [[feature]] tables, and what of them is wrong.
  Values row(const std::string& features, std::string_view item = "shoe") const {
    const auto plan = Plan::declare(features, "p");
    if (!plan.ok()) return {{plan.error().message, 0}};
    const RowBuilder rows(*plan, person, counters, moment());
    std::vector<Feature> built;
    rows.build(*catalog.find(item), 0, built);
    const auto parts = rows.explain(*catalog.find(item), 0);
    EXPECT_EQ(built.size(), parts.size());
    Values out;
    for (std::size_t i = 0; i < parts.size(); ++i) {
      EXPECT_EQ(parts[i].hash, built[i].hash);
      EXPECT_EQ(parts[i].value, built[i].value);
      EXPECT_TRUE(out.emplace(parts[i].name, parts[i].value).second) << parts[i].name << " twice";
    }
    return out;
  }
};

std::string one(const std::string& kind, const std::string& rest) {
  return "[[feature]]\nkind = \"" + kind + "\"\n" + rest + "\n";
}

TEST(LiveStep, CategoriesOfPersonItemAndContext) {
  const World world;
  const auto category = [&](const std::string& of) {
    return world.row(one("category", "of = \"" + of + "\""));
  };
  EXPECT_EQ(category("person.job"), (Values{{"person.job=nurse", 1}}));
  EXPECT_EQ(category("item.brand"), (Values{{"item.brand=ace", 1}}));
  EXPECT_EQ(category("item.category"), (Values{{"item.category=run", 1}}));
  EXPECT_EQ(category("item.id"), (Values{{"item.id=shoe", 1}}));
  EXPECT_EQ(category("context.device"), (Values{{"context.device=phone", 1}}));
  EXPECT_EQ(category("context.placement"), (Values{{"context.placement=home", 1}}));
  EXPECT_EQ(category("context.hour"), (Values{{"context.hour=1", 1}}));  // 12 h east: next day
  EXPECT_EQ(category("context.weekday"), (Values{{"context.weekday=Thu", 1}}));
  EXPECT_EQ(category("item.colors"), Values{}) << "a list is no category";
  EXPECT_EQ(category("person.unknown"), Values{});
}

TEST(LiveStep, BagsOfLists) {
  const World world;
  const float half = std::sqrt(0.5F);
  EXPECT_EQ(world.row(one("bag", "of = \"item.tags\"")),
            (Values{{"item.tags has red", half}, {"item.tags has new", half}}));
  EXPECT_EQ(world.row(one("bag", "of = \"person.langs\"")),
            (Values{{"person.langs has de", half}, {"person.langs has fr", half}}));
  EXPECT_EQ(world.row(one("bag", "of = \"item.colors\"\nscale = 2")),
            (Values{{"item.colors has red", 2 * half}, {"item.colors has blue", 2 * half}}));
}

TEST(LiveStep, NumbersAndBins) {
  const World world;
  const auto number = [&](const std::string& rest) { return world.row(one("number", rest)); };
  EXPECT_EQ(number("of = \"person.age\"\ncenter = 40\nscale = 0.5"),
            (Values{{"person.age", 0.5F}}));
  EXPECT_EQ(number("of = \"item.weight_g\"\nlog = true"),
            (Values{{"log item.weight_g", static_cast<float>(std::log1p(300))}}));
  EXPECT_EQ(number("of = \"item.price\""), (Values{{"item.price", 9}}));
  EXPECT_EQ(number("of = \"item.age_days\""), (Values{{"item.age_days", 1}}));
  EXPECT_EQ(number("of = \"context.temp\""), (Values{{"context.temp", -3}}));
  EXPECT_EQ(number("of = \"item.weight_g\""), (Values{{"item.weight_g", 100}})) << "kept within";
  EXPECT_EQ(number("of = \"item.brand\""), Values{});
  EXPECT_EQ(world.row(one("bins", "of = \"person.age\"\nedges = [30, 45]")),
            (Values{{"person.age in (30, 45]", 1}}));
  EXPECT_EQ(world.row(one("bins", "of = \"item.price\"\nedges = [5]")),
            (Values{{"item.price in (5, inf)", 1}}));
}

TEST(LiveStep, CrossesTakeEveryCombination) {
  const World world;
  EXPECT_EQ(world.row(one("cross", "of = [\"person.job\", \"item.brand\"]")),
            (Values{{"person.job=nurse x item.brand=ace", 1}}));
  EXPECT_EQ(world.row(one("cross", "of = [\"context.device\", \"item.tags\", \"person.job\"]")),
            (Values{{"context.device=phone x item.tags=red x person.job=nurse", 1},
                    {"context.device=phone x item.tags=new x person.job=nurse", 1}}));
  EXPECT_EQ(world.row(one("cross", "of = [\"person.job\", \"item.none\"]")), Values{});
}

TEST(LiveStep, CountsAndRates) {
  const World world;
  EXPECT_EQ(world.row(one("count", "of = \"person\"\nverb = \"click\"\nwindow = \"7d\"")),
            (Values{{"person.click_7d", std::log1p(3.0F)}}));
  EXPECT_EQ(world.row(one("count", "of = \"item\"\nverb = \"engaged\"\nwindow = \"1h\"")),
            (Values{{"item.engaged_1h", std::log1p(40.0F)}}));
  // The mean is (99 + 1) / 1000; the item's (40 + 2) / 100, the person's (10 + 2) / 40.
  const double mean = std::log(0.1 / 0.9);
  const auto item = world.row(one("rate", "of = \"item\"\nwindow = \"24h\""));
  EXPECT_NEAR(item.at("item.rate_24h"), std::log(0.42 / 0.58) - mean, 1e-5);
  const auto person = world.row(one("rate", "of = \"person\"\nwindow = \"30d\""));
  EXPECT_NEAR(person.at("person.rate_30d"), std::log(0.3 / 0.7) - mean, 1e-5);
  EXPECT_EQ(world.row(one("rate", "of = \"item\"\nwindow = \"24h\""), "hat"), Values{});
}

TEST(LiveStep, SequencesCrossTheLastItemsWithTheCandidate) {
  const World world;
  EXPECT_EQ(
      world.row(one("sequence", "of = \"person.click\"\nby = \"item\"\ndecay = 0.5")),
      (Values{{"person.click cap x item.id=shoe", 1}, {"person.click hat x item.id=shoe", 0.25F}}));
  EXPECT_EQ(world.row(one("sequence", "of = \"person.click\"\nby = \"category\"")),
            (Values{{"person.click sun x item.category=run", 1}}));
  EXPECT_EQ(world.row(one("sequence", "of = \"person.view\"\nby = \"item\"\nlast = 1"), "hat"),
            (Values{{"person.view shoe x item.id=hat", 1}}));
}

// Their ids are, turned, those of what they are values of.
TEST(LiveStep, SequencesByThemselvesAreValuesOfAnotherInput) {
  const World world;
  const std::string features =
      one("sequence", "of = \"person.click\"\nas = \"item.id\"\ndecay = 0.5") +
      one("category", "of = \"item.id\"") +
      one("sequence", "of = \"person.view\"\nas = \"item.category\"") +
      one("category", "of = \"item.category\"");
  EXPECT_EQ(world.row(features, "cap"), (Values{{"person.click had cap", 1},
                                                {"person.click had hat", 0.25F},
                                                {"item.id=cap", 1},
                                                {"person.view had run", 1},
                                                {"item.category=sun", 1}}));
  const auto plan = Plan::declare(features, "p");
  ASSERT_TRUE(plan.ok());
  const std::vector<SequenceField> sequences = live_sequences(*plan);
  ASSERT_EQ(sequences.size(), 2U);
  EXPECT_EQ(sequences[1].field, 2);
  EXPECT_EQ(sequences[1].like, 3);
  std::map<std::string, std::uint32_t> ids;
  const RowBuilder rows(*plan, world.person, world.counters, world.moment());
  for (const Part& part : rows.explain(*world.catalog.find("cap"), 0)) ids[part.name] = part.hash;
  EXPECT_EQ(ids.at("person.click had cap") ^ sequences[0].turn, ids.at("item.id=cap"));
  for (const Part& part : rows.explain(*world.catalog.find("shoe"), 0)) ids[part.name] = part.hash;
  EXPECT_EQ(ids.at("person.view had run") ^ sequences[1].turn, ids.at("item.category=run"));
  EXPECT_TRUE(live_sequences(default_plan()).empty());
}

TEST(LiveStep, VectorsAreNearTheLastItems) {
  const World world;
  const auto vector = [&](const std::string& rest) {
    return world.row(one("vector", "of = \"item.vector\"\n" + rest));
  };
  EXPECT_EQ(vector("last = 1"), (Values{{"item.vector near last 1", 1}}));
  EXPECT_EQ(vector("last = 1\nby = \"dot\""), (Values{{"item.vector dot last 1", 3}}));
  // The mean of cap, hat and shoe is (4/3, 2/3).
  EXPECT_NEAR(vector("").at("item.vector near last 10"), 2 / std::sqrt(5), 1e-6);
}

TEST(LiveStep, WhatIsSensitiveStaysOut) {
  const World world;
  const auto names = [&](const std::string& plan) {
    std::string all;
    for (const auto& [name, value] : world.row(plan)) all += name + ";";
    return all;
  };
  const std::string all_traits = one("trait", "") + one("trait_topic", "");
  EXPECT_EQ(names(all_traits).find("gender"), std::string::npos);
  EXPECT_NE(names(all_traits).find("age=41"), std::string::npos);
  EXPECT_NE(names("[sensitive]\nallow = [\"gender\"]\n" + all_traits).find("gender=f"),
            std::string::npos);
  EXPECT_EQ(names("[sensitive]\nnames = [\"age\"]\n" + all_traits).find("age"), std::string::npos);
  const std::string refused =
      "p line 3: person.gender is sensitive (gender): [sensitive] allow = [\"gender\"] lets it in;";
  EXPECT_EQ(names(one("category", "of = \"person.gender\"")), refused);
  EXPECT_EQ(names(one("cross", "of = [\"item.brand\", \"person.gender\"]")), refused);
  EXPECT_EQ(names(one("trait", "traits = [\"gender\"]")),
            "p line 3: gender is sensitive (gender): [sensitive] allow = [\"gender\"] lets it in;");
  EXPECT_EQ(
      names("[sensitive]\nallow = [\"gender\"]\n" + one("category", "of = \"person.gender\"")),
      "person.gender=f;");
}

TEST(LiveStep, AStoredPlanOfBeforeMeansWhatItSaid) {
  const World world;
  const auto plan = Plan::parse(one("trait", ""), "stored");
  ASSERT_TRUE(plan.ok());
  EXPECT_TRUE(plan->sensitive.names.empty());
  const auto parts = RowBuilder(*plan, world.person, world.counters, world.moment())
                         .explain(*world.catalog.find("shoe"), 0);
  ASSERT_EQ(parts.size(), 3u);
  EXPECT_EQ(parts[1].name, "gender=f");
}

}  // namespace
}  // namespace attune
