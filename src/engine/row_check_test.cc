// The rows in decision records are recomputed bit for bit, and a tampered one is found.
#include "engine/test_workspace.h"
#include "event/decision.h"
#include "feature/plan.h"
#include "journal/journal.h"

namespace attune {
namespace {

namespace fs = std::filesystem;

// Visits and clicks, so that rows hold rates, interests and neighbours. Returns decisions made.
int live(Engine& engine, int rounds) {
  Rng rng(3);
  Time now = begin_time();
  EXPECT_TRUE(engine.control(items(300)).ok());
  for (int i = 0; i < rounds; ++i) {
    const std::string who = "p" + std::to_string(rng.below(4));
    const auto decision = engine.decide(feed_for(who));
    EXPECT_TRUE(decision.ok());
    now += seconds(30);
    Event event = click(who, decision->shown.at(0).item_id, now, "m" + std::to_string(i));
    event.anonymous_id = "c" + std::to_string(rng.below(4));
    EXPECT_TRUE(ingest(engine, {event}).ok());
  }
  return rounds;
}

// Writes the journal again, with each decision as `change` leaves it; the positions stay.
void rewrite(const std::string& workspace, const std::function<void(Decision&)>& change) {
  const auto keys = open_keyring(workspace + "/keys", false);
  ASSERT_TRUE(keys.ok());
  {
    const auto reader = open_journal_reader(workspace + "/journal");
    const auto writer = open_file_journal({.directory = workspace + "/changed"});
    ASSERT_TRUE(reader.ok() && writer.ok());
    const auto cursor = (*reader)->read(1);
    for (auto stored = (*cursor)->next(); stored.ok() && *stored; stored = (*cursor)->next()) {
      Record record = (*stored)->record;
      if (record.kind == Kind::kDecision) {
        auto decision = decode_decision(*(*keys)->open(record));
        ASSERT_TRUE(decision.ok());
        change(*decision);
        record.payload.clear();
        encode_decision(*decision, record.payload);
        ASSERT_TRUE((*keys)->seal(record).ok());
      }
      ASSERT_TRUE((*writer)->append({&record, 1}).ok());
    }
    ASSERT_TRUE((*writer)->flush().ok());
  }
  fs::remove_all(workspace + "/journal");
  fs::rename(workspace + "/changed", workspace + "/journal");
}

TEST(RowCheck, EveryRowIsRecomputedAndATamperedOneIsFound) {
  const TempFolder folder;
  constexpr int kRounds = 60;
  { live(*open_engine(folder.workspace()), kRounds); }
  rewrite(folder.workspace(), [](Decision&) {});
  {
    const auto engine = open_engine(folder.workspace());
    const auto report = engine->verify(2);
    ASSERT_TRUE(report.ok()) << report.error().message;
    EXPECT_TRUE(report->is_equal) << report->rows.first_difference;
    EXPECT_EQ(report->rows.decisions, kRounds);
    EXPECT_EQ(report->rows.rows, kRounds * 3);
    EXPECT_EQ(report->rows.not_comparable, 0u);
  }
  int seen = 0;
  std::string id;
  rewrite(folder.workspace(), [&](Decision& decision) {
    if (++seen != kRounds / 2) return;
    id = decision.id;
    Part& part = decision.shown[1].parts.back();
    part.value = std::nextafter(part.value, 10.0F);
  });
  const auto report = open_engine(folder.workspace())->verify(1);
  ASSERT_TRUE(report.ok());
  EXPECT_FALSE(report->is_equal);
  EXPECT_EQ(report->rows.differing, 1u);
  EXPECT_NE(report->rows.first_difference.find(id), std::string::npos)
      << report->rows.first_difference;
}

// The dials are no part of a row: what they place is recomputed as it was.
TEST(RowCheck, RowsUnderDialsAreRecomputed) {
  const TempFolder folder;
  constexpr int kRounds = 40;
  {
    const auto engine = open_engine(folder.workspace());
    ASSERT_TRUE(engine
                    ->control({R"({"op":"put_placement","placement":{"name":"feed",)"
                               R"("diversity":0.6,"freshness":0.7,"freshness_half_life_s":3600,)"
                               R"("epsilon":0.2}})"})
                    .ok());
    live(*engine, kRounds);
  }
  std::size_t with_dials = 0;
  rewrite(folder.workspace(), [&](Decision& decision) { with_dials += decision.has_dials; });
  EXPECT_EQ(with_dials, kRounds);
  const auto report = open_engine(folder.workspace())->verify(3);
  ASSERT_TRUE(report.ok()) << report.error().message;
  EXPECT_TRUE(report->is_equal) << report->rows.first_difference;
  EXPECT_EQ(report->rows.decisions, kRounds);
}

// Every declared kind, with a context and in a time zone.
TEST(RowCheck, DeclaredFeaturesAreRecomputedFromTheRecord) {
  const auto plan = Plan::declare(
      "[[feature]]\nkind = \"category\"\nof = \"context.hour\"\n"
      "[[feature]]\nkind = \"cross\"\nof = [\"context.device\", \"item.category\", "
      "\"person.job\"]\n"
      "[[feature]]\nkind = \"count\"\nof = \"person\"\nverb = \"click\"\nwindow = \"1h\"\n"
      "[[feature]]\nkind = \"rate\"\nof = \"item\"\nwindow = \"24h\"\n"
      "[[feature]]\nkind = \"rate\"\nof = \"person\"\nwindow = \"7d\"\n"
      "[[feature]]\nkind = \"sequence\"\nof = \"person.click\"\nby = \"category\"\n"
      "[[feature]]\nkind = \"vector\"\nof = \"item.vector\"\n"
      "[[feature]]\nkind = \"bins\"\nof = \"item.age_days\"\nedges = [0.6, 0.7]\n",
      "p");
  ASSERT_TRUE(plan.ok()) << plan.error().message;
  const TempFolder folder;
  EngineOptions options = still_options(folder.workspace());
  options.time_zone = "Asia/Kathmandu";
  std::string explained;
  {
    const auto engine = open_engine(options);
    std::vector<std::string> changes = {put_plan_json(*plan)};
    for (int i = 0; i < 200; ++i) {
      changes.push_back(R"({"op":"put_item","item":{"id":"i)" + std::to_string(i) +
                        R"(","category":"c)" + std::to_string(i % 3) +
                        R"(","created":"2025-12-31T12:00:00Z","vector":[1,)" + std::to_string(i) +
                        "]}}");
    }
    ASSERT_TRUE(engine->control(changes).ok());
    Time now = begin_time();
    ASSERT_TRUE(ingest(*engine, {identify("p", R"({"job":"nurse"})", now, "t")}).ok());
    for (int i = 0; i < 30; ++i) {
      DecideRequest request = feed_for("p");
      request.context = R"({"device":"phone"})";
      const auto decision = engine->decide(request);
      ASSERT_TRUE(decision.ok());
      explained = decision_json(*decision, true);
      now += seconds(600);
      const std::string shown = decision->shown.at(0).item_id;
      ASSERT_TRUE(ingest(*engine, {click("p", shown, now, "m" + std::to_string(i))}).ok());
    }
  }
  for (const char* name :
       {"context.hour=", "context.device=phone x item.category=c", "person.click_1h",
        "person.rate_7d", "person.click c", "item.vector near last 10", "item.age_days in (",
        R"("context":{"device":"phone"})"}) {
    EXPECT_NE(explained.find(name), std::string::npos) << name << " in " << explained;
  }
  // Opened elsewhere: what was decided in one zone is recomputed in it.
  options.time_zone = "UTC";
  const auto report = open_engine(options)->verify(2);
  ASSERT_TRUE(report.ok()) << report.error().message;
  EXPECT_TRUE(report->is_equal) << report->rows.first_difference;
  EXPECT_EQ(report->rows.decisions, 30u);
  EXPECT_EQ(report->rows.differing, 0u);
}

TEST(RowCheck, ANewWorkspaceKeepsSensitiveTraitsOut) {
  const TempFolder folder;
  const auto engine = open_engine(folder.workspace());
  EXPECT_NE(engine->catalog()->plan().find("\"gender\""), std::string::npos);
  ASSERT_TRUE(engine->control(items(10)).ok());
  ASSERT_TRUE(
      ingest(*engine, {identify("p", R"({"gender":"f","job":"x"})", begin_time(), "t")}).ok());
  const auto decision = engine->decide(feed_for("p"));
  ASSERT_TRUE(decision.ok());
  const std::string explained = decision_json(*decision, true);
  EXPECT_NE(explained.find("job=x"), std::string::npos);
  EXPECT_EQ(explained.find("gender"), std::string::npos);
}

TEST(RowCheck, DecisionsBeforeTheBaseAreCountedNotSkipped) {
  const TempFolder folder;
  const auto engine = open_engine(folder.workspace());
  const auto before = static_cast<std::uint64_t>(live(*engine, 40));
  const std::uint64_t of_erased = [&] {
    std::uint64_t own = 0;
    EXPECT_TRUE(engine
                    ->export_person(IdType::kUser, "p1",
                                    [&](std::string_view line) {
                                      own += line.starts_with(R"({"decision_id")") ? 1 : 0;
                                    })
                    .ok());
    return own;
  }();
  ASSERT_GT(of_erased, 0u);
  ASSERT_TRUE(engine->erase(IdType::kUser, "p1").ok());
  for (int i = 0; i < 10; ++i) ASSERT_TRUE(engine->decide(feed_for("p2")).ok());
  const auto report = engine->verify(1);
  ASSERT_TRUE(report.ok());
  EXPECT_TRUE(report->is_equal) << report->rows.first_difference;
  EXPECT_EQ(report->rows.erased + report->rows.not_comparable, before);
  EXPECT_GE(report->rows.erased, of_erased);
  EXPECT_EQ(report->rows.decisions, 10u) << "what was published after the cut is known again";
}

}  // namespace
}  // namespace attune
