#include "engine/dial_preview.h"

#include "engine/test_workspace.h"

namespace attune {
namespace {

// Twelve persons who saw a feed of items in six categories, half of them a year old.
void live(Engine& engine) {
  std::vector<std::string> changes;
  for (int i = 0; i < 60; ++i) {
    changes.push_back(R"({"op":"put_item","item":{"id":"i)" + std::to_string(i) +
                      R"(","category":"c)" + std::to_string(i < 30 ? 0 : i % 6) +
                      R"(","created":")" + (i % 2 ? "2025-01-01" : "2025-12-31") +
                      R"(T00:00:00Z"}})");
  }
  changes.push_back(
      R"({"op":"put_placement","placement":{"name":"feed","seen_window_s":0,"epsilon":0.5}})");
  ASSERT_TRUE(engine.control(changes).ok());
  Time now = begin_time();
  ASSERT_TRUE(engine.tick(now).ok());
  for (int round = 0; round < 3; ++round) {
    for (int p = 0; p < 12; ++p) {
      const std::string who = "p" + std::to_string(p);
      DecideRequest request = feed_for(who);
      request.n = 6;
      ASSERT_TRUE(engine.decide(request).ok());
      now += seconds(30);
      const std::string item = "i" + std::to_string((p * 7 + round) % 30);  // of c0
      ASSERT_TRUE(ingest(engine, {click(who, item, now, who + std::to_string(round))}).ok());
    }
    ASSERT_TRUE(engine.tick(now).ok());
  }
}

TEST(DialPreview, ShowsWhatEachSettingWouldDoAndRecordsNothing) {
  const TempFolder folder;
  const auto engine = open_engine(folder.workspace());
  live(*engine);
  const auto records = engine->counts().journal_records;
  const auto preview = preview_dials(*engine, {.placement = "feed", .persons = 8});
  ASSERT_TRUE(preview.ok()) << preview.error().message;
  EXPECT_EQ(preview->persons, 8U);
  ASSERT_EQ(preview->diversity.size(), 5U);
  ASSERT_EQ(preview->freshness.size(), 5U);
  for (std::size_t i = 0; i < 5; ++i) {
    const SlateFigures& diverse = preview->diversity[i].figures;
    const SlateFigures& fresh = preview->freshness[i].figures;
    EXPECT_EQ(preview->diversity[i].diversity, 0.25 * double(i));
    EXPECT_EQ(preview->freshness[i].freshness, 0.25 * double(i));
    EXPECT_EQ(diverse.slates, 8U);
    EXPECT_EQ(diverse.places, 6);
    if (i == 0) continue;
    EXPECT_GE(diverse.entropy_bits, preview->diversity[i - 1].figures.entropy_bits - 1e-9);
    EXPECT_LE(fresh.age_days, preview->freshness[i - 1].figures.age_days + 1e-9);
  }
  EXPECT_NEAR(preview->diversity[4].figures.categories, 6, 1e-9) << "six places, six categories";
  EXPECT_LT(preview->diversity[0].figures.categories, 6);
  EXPECT_LT(preview->freshness[4].figures.age_days, preview->freshness[0].figures.age_days);
  EXPECT_EQ(engine->counts().journal_records, records);
  const std::string json = dial_preview_json(*preview);
  EXPECT_NE(json.find(R"("placement":"feed","persons":8,"places":6)"), std::string::npos) << json;
}

TEST(DialPreview, MakesTheSameRequestsAgain) {
  const TempFolder folder;
  const auto engine = open_engine(folder.workspace());
  live(*engine);
  DecideRequest request = feed_for("p3");
  request.n = 2;
  request.candidates = {"i1", "i2", "i3", "i4"};
  ASSERT_TRUE(engine->decide(request).ok());
  std::vector<std::string> shown;
  const Trial trial{"feed", 1, {engine->catalog()->placement("feed")}};
  const auto persons =
      engine->try_placements(trial, [&](std::size_t, const Decision& made, const Decision& global) {
        EXPECT_EQ(global.policy, Policy::kFallback);
        for (const ShownItem& item : made.shown) shown.push_back(item.item_id);
      });
  ASSERT_TRUE(persons.ok());
  EXPECT_EQ(*persons, 1U);  // the newest: p3
  ASSERT_EQ(shown.size(), 2U);
  for (const std::string& id : shown) {
    EXPECT_NE(std::find(request.candidates.begin(), request.candidates.end(), id),
              request.candidates.end());
  }
}

TEST(DialPreview, SaysWhenNobodyWasAskedFor) {
  const TempFolder folder;
  const auto engine = open_engine(folder.workspace());
  live(*engine);
  const auto preview = preview_dials(*engine, {.placement = "story"});
  ASSERT_FALSE(preview.ok());
  EXPECT_EQ(preview.error().code, Code::kNotFound);
  EXPECT_EQ(preview.error().message, "nobody was asked for at the placement story");
}

}  // namespace
}  // namespace attune
