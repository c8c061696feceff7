#include "catalog/catalog.h"

#include <gtest/gtest.h>

namespace attune {
namespace {

const Time kNow = time_from_us(1'700'000'000'000'000);

std::string bytes(const Catalog& catalog) {
  std::string out;
  catalog.encode(out);
  return out;
}

std::string item(std::string_view fields) {
  return R"({"op":"put_item","item":{)" + std::string(fields) + "}}";
}
std::string place(std::string_view fields) {
  return R"({"op":"put_placement","placement":{)" + std::string(fields) + "}}";
}

TEST(Catalog, PutsAnItem) {
  Catalog c;
  ASSERT_TRUE(c.apply(item(R"("id":"a","category":"sport","tags":["x","y"],"price":2.5,
      "is_hidden":true,"created":"2026-11-02T10:11:12.345Z","color":"red")"),
                      kNow)
                  .ok());
  const Item* a = c.find("a");
  ASSERT_NE(a, nullptr);
  EXPECT_EQ(a->category, "sport");
  EXPECT_EQ(a->tags, (std::vector<std::string>{"x", "y"}));
  EXPECT_EQ(a->price, 2.5);
  EXPECT_TRUE(a->is_hidden);
  EXPECT_EQ(format_iso8601(a->created), "2026-11-02T10:11:12.345Z");
  EXPECT_NE(a->attributes.find(R"("color":"red")"), std::string::npos);
  EXPECT_EQ(a->attributes.find('\n'), std::string::npos);
  EXPECT_EQ(item_json(*a), R"({"id":"a","category":"sport","tags":["x","y"],"price":2.5,)"
                           R"("is_hidden":true,"created":"2026-11-02T10:11:12.345Z",)"
                           R"("attributes":)" +
                               a->attributes + "}");
}

TEST(Catalog, TakesFirstOfCategoriesAndReceived) {
  Catalog c;
  ASSERT_TRUE(c.apply(item(R"("id":"a","categories":["news","x"],"category":null)"), kNow).ok());
  EXPECT_EQ(c.find("a")->category, "news");
  EXPECT_EQ(c.find("a")->created, kNow);
}

TEST(Catalog, DeletesAndMovesTheLast) {
  Catalog c;
  for (const char* id : {"a", "b", "c"}) {
    ASSERT_TRUE(c.apply(item("\"id\":\"" + std::string(id) + "\""), kNow).ok());
  }
  const Catalog before = c;
  ASSERT_TRUE(c.apply(R"({"op":"delete_item","id":"a"})", kNow).ok());
  EXPECT_EQ(c.find("a"), nullptr);
  EXPECT_EQ(c.items()[0]->id, "c");
  EXPECT_EQ(c.find("c")->id, "c");
  ASSERT_TRUE(c.apply(R"({"op":"delete_item","id":"b"})", kNow).ok());
  EXPECT_EQ(c.items().size(), 1u);
  EXPECT_EQ(c.apply(R"({"op":"delete_item","id":"a"})", kNow).error().code, Code::kNotFound);
  EXPECT_EQ(before.items().size(), 3u);
}

TEST(Catalog, EncodesCanonically) {
  Catalog a, b;
  const auto x = item(R"("id":"x","price":1)"), y = item(R"("id":"y")");
  const auto p = place(R"("name":"home","epsilon":0.1)"), q = place(R"("name":"side")");
  for (const auto& s : {x, y, p, q}) ASSERT_TRUE(a.apply(s, kNow).ok());
  for (const auto& s : {q, y, p, x, x}) ASSERT_TRUE(b.apply(s, kNow).ok());
  EXPECT_EQ(bytes(a), bytes(b));
  ASSERT_TRUE(b.apply(item(R"("id":"x","price":2)"), kNow).ok());
  EXPECT_NE(bytes(a), bytes(b));
}

TEST(Catalog, FallsBackToTheDefaultPlacement) {
  Catalog c;
  EXPECT_EQ(c.placement("home").epsilon, 0.05);
  ASSERT_TRUE(c.apply(place(R"("epsilon":0.2)"), kNow).ok());
  EXPECT_EQ(c.placement("home").epsilon, 0.2);
  ASSERT_TRUE(c.apply(place(R"("name":"home","candidates":7,"is_impression_served":false,
      "seen_window_s":0,"rules":[{"kind":"pin","item_id":"a","position":2},
      {"kind":"hide","category":"x"},{"kind":"boost","category":"y","factor":1.5},
      {"kind":"max_per_category","limit":3}])"),
                      kNow)
                  .ok());
  const Placement& home = c.placement("home");
  EXPECT_EQ(home.candidates, 7);
  EXPECT_FALSE(home.is_impression_served);
  EXPECT_EQ(home.seen_window_s, 0);
  ASSERT_EQ(home.rules.size(), 4u);
  EXPECT_EQ(home.rules[0].position, 2);
  EXPECT_EQ(home.rules[1].kind, Rule::Kind::kHide);
  EXPECT_EQ(home.rules[2].factor, 1.5);
  EXPECT_EQ(home.rules[3].limit, 3);
}

// Format 5 has no early negatives, format 4 no retrievers, format 3 no dials; they are off then.
TEST(Catalog, FormatsWithoutRetrieversAndDialsAreRead) {
  Catalog c;
  ASSERT_TRUE(c.apply(place(R"("name":"feed","candidates":7)"), kNow).ok());
  std::string old = bytes(c);
  ASSERT_EQ(old[0], 7);
  // format, no items, one placement, "feed", four doubles, a flag, candidates, no model
  const std::size_t dials = 1 + 1 + 1 + 5 + 4 * 8 + 1 + 1 + 1;
  for (const auto& [format, at, size] :
       {std::tuple<char, std::size_t, std::size_t>(6, dials, 0),
        std::tuple<char, std::size_t, std::size_t>(5, dials + 25, 8),
        std::tuple<char, std::size_t, std::size_t>(4, dials + 24, 1),
        std::tuple<char, std::size_t, std::size_t>(3, dials, 24)}) {
    old[0] = format;
    old.erase(at, size);
    const auto back = Catalog::decode(old);
    ASSERT_TRUE(back.ok()) << back.error().message;
    EXPECT_EQ(bytes(*back), bytes(c));
  }
}

struct Case {
  std::string json, field, message;
};

void expect_refused(const std::vector<Case>& cases) {
  Catalog c;
  const auto before = bytes(c);
  for (const auto& each : cases) {
    const auto status = c.apply(each.json, kNow);
    ASSERT_FALSE(status.ok()) << each.json;
    EXPECT_EQ(status.error().code, Code::kInvalid) << each.json;
    EXPECT_EQ(status.error().field, each.field) << each.json;
    EXPECT_NE(status.error().message.find(each.message), std::string::npos)
        << each.json << ": " << status.error().message;
  }
  EXPECT_EQ(bytes(c), before);
}

TEST(Catalog, SaysWhatIsWrongWithItems) {
  expect_refused({
      {"{", "", "not JSON"},
      {"[]", "", "a control record must be a JSON object"},
      {"{}", "op", "op is missing"},
      {R"({"op":7})", "op", "op must be a string"},
      {R"({"op":"put_itm"})", "op", R"(unknown op "put_itm", nearest known is "put_item")"},
      {R"({"op":"put_item"})", "item", "item is missing"},
      {R"({"op":"put_item","item":3})", "item", "item must be an object"},
      {R"({"op":"put_placement"})", "placement", "placement is missing"},
      {R"({"op":"delete_item"})", "id", "id is missing"},
      {item(""), "item.id", "id is missing"},
      {item(R"("id":"a\u0001")"), "item.id", "id must be 1-256 bytes of UTF-8"},
      {item(R"("id":"")"), "item.id", "id must be 1-256 bytes of UTF-8"},
      {item(R"("id":7)"), "item.id", "id must be a string"},
      {item(R"("id":"a","tags":[1])"), "item.tags", "tags must be an array of strings"},
      {item(R"("id":"a","categories":"x")"), "item.categories", "must be an array of strings"},
      {item(R"("id":"a","category":1)"), "item.category", "category must be a string"},
      {item(R"("id":"a","price":-1)"), "item.price", "price is -1, must be in [0, "},
      {item(R"("id":"a","price":"1")"), "item.price", "price must be a number"},
      {item(R"("id":"a","is_hidden":1)"), "item.is_hidden", "must be true or false"},
      {item(R"("id":"a","created":"soon")"), "item.created", "must be an ISO-8601 time"},
      {item(R"("id":"a","created":"")"), "item.created", "must be an ISO-8601 time"},
  });
}

TEST(Catalog, SaysWhatIsWrongWithPlacements) {
  expect_refused({
      {place(R"("epsilon":1.5)"), "placement.epsilon", "epsilon is 1.5, must be in [0, 1]"},
      {place(R"("control_share":-1)"), "placement.control_share", "must be in [0, 1]"},
      {place(R"("seen_window_s":-1)"), "placement.seen_window_s", "seen_window_s is -1"},
      {place(R"("candidates":0)"), "placement.candidates", "candidates is 0"},
      {place(R"("candidates":1.5)"), "placement.candidates", "must be a whole number"},
      {place(R"("diversity":1.5)"), "placement.diversity", "diversity is 1.5, must be in [0, 1]"},
      {place(R"("freshness":-0.1)"), "placement.freshness", "freshness is -0.1"},
      {place(R"("freshness":"much")"), "placement.freshness", "freshness must be a number"},
      {place(R"("freshness_half_life_s":0)"), "placement.freshness_half_life_s",
       "freshness_half_life_s is 0, must be in [60, "},
      {place(R"("epsilom":1)"), "placement.epsilom",
       R"(unknown placement field "epsilom", nearest known is "epsilon")"},
      {place(R"("rules":{})"), "placement.rules", "rules must be an array of objects"},
      {place(R"("rules":[{}])"), "placement.rules[0].kind", "kind is missing"},
      {place(R"("rules":[{"kind":"bost"}])"), "placement.rules[0].kind",
       R"(unknown rule kind "bost", nearest known is "boost")"},
      {place(R"("rules":[{"kind":"pin"}])"), "placement.rules[0].item_id", "item_id is missing"},
      {place(R"("rules":[{"kind":"hide"}])"), "placement.rules[0].item_id", "either item_id or"},
      {place(R"("rules":[{"kind":"boost","item_id":"a","factor":0}])"), "placement.rules[0].factor",
       "factor is 0, must be > 0"},
      {place(R"("rules":[{"kind":"max_per_category"}])"), "placement.rules[0].limit",
       "limit is missing"},
      {place(R"("rules":[{"kind":"pin","item":"a"}])"), "placement.rules[0].item",
       R"(unknown rule field "item", nearest known is "item_id")"},

  });
}

TEST(Catalog, DecodesToTheSameBytes) {
  Catalog catalog;
  const char* const changes[] = {
      R"({"op":"put_item","item":{"id":"a","category":"x","tags":["t","u"],"price":1.5,"brand":"b"}})",
      R"({"op":"put_item","item":{"id":"b","is_hidden":true}})",
      R"({"op":"put_placement","placement":{"name":"feed","epsilon":0.5,"diversity":0.25,)"
      R"("freshness":0.75,"freshness_half_life_s":3600,)"
      R"("rules":[{"kind":"boost","category":"x","factor":2}]}})"};
  for (const char* change : changes) {
    const Status applied = catalog.apply(change, time_from_us(1'000'000));
    ASSERT_TRUE(applied.ok()) << applied.error().message;
  }
  std::string bytes, again;
  catalog.encode(bytes);
  const auto decoded = Catalog::decode(bytes);
  ASSERT_TRUE(decoded.ok()) << decoded.error().message;
  decoded->encode(again);
  EXPECT_EQ(bytes, again);
  EXPECT_EQ(decoded->placement("feed").diversity, 0.25);
  EXPECT_EQ(decoded->placement("feed").freshness, 0.75);
  EXPECT_EQ(decoded->placement("feed").freshness_half_life_s, 3600);
  EXPECT_NE(decoded->find("a")->maker, 0U);
  EXPECT_EQ(decoded->find("b")->maker, 0U);
  EXPECT_EQ(decoded->memory_bytes(), catalog.memory_bytes());
  for (std::size_t cut = 0; cut < bytes.size(); ++cut) {
    EXPECT_FALSE(Catalog::decode(std::string_view(bytes).substr(0, cut)).ok()) << cut;
  }
}

}  // namespace
}  // namespace attune
