// Drift of the live learner, from the events that show it to whoever must know.
#include <fstream>

#include "base/log.h"
#include "engine/examine.h"
#include "engine/retraining.h"
#include "engine/setup.h"
#include "engine/test_workspace.h"

namespace attune {
namespace {

struct DriftTest : testing::Test {
  // Two people are shown three items each and click each with that chance.
  void visits(Engine& engine, double rate) {
    std::vector<Event> events;
    now += seconds(40);
    for (int visit = 0; visit < 2; ++visit) {
      const std::string person = "p" + std::to_string(rng.below(400));
      const auto made = engine.decide(feed_for(person));
      ASSERT_TRUE(made.ok()) << made.error().message;
      for (const ShownItem& shown : made->shown) {
        Event event = click(person, shown.item_id, now, "m" + std::to_string(sent++));
        event.verb = rng.chance(rate) ? Verb::kClick : Verb::kImpression;
        event.decision_id = made->id;
        events.push_back(std::move(event));
      }
    }
    ASSERT_TRUE(ingest(engine, std::move(events)).ok());
    ASSERT_TRUE(engine.tick(now).ok());
  }
  std::string logged() const {
    std::ifstream in(folder.path("log"), std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
  }

  TempFolder folder;
  Rng rng{3};
  Time now = begin_time();
  std::uint64_t sent = 0;
};

// Clicks that come and go faster than the learner follows.
TEST_F(DriftTest, IsLoggedCountedReplayedAndFoundByTheDoctor) {
  const auto log = Log::open({.level = "info", .file = folder.path("log")}, [] { return Time{}; });
  EngineOptions options = still_options(folder.workspace());
  options.log = log->get();
  {
    const auto engine = open_engine(options);
    ASSERT_TRUE(engine->control(items(12)).ok());
    ASSERT_TRUE(engine->tick(now).ok());
    for (int i = 0; i < 500; ++i) visits(*engine, 0.1);
    EXPECT_EQ(engine->counts().drift_alarms, 0u);
    for (int i = 0; i < 1000; ++i) visits(*engine, i / 50 % 2 == 0 ? 0.9 : 0.0);
    EXPECT_GE(engine->counts().drift_alarms, 1u);
    EXPECT_GT(engine->counts().drift_at, begin_time() + seconds(20'000));
    EXPECT_NE(logged().find(" drift what="), std::string::npos);
    EXPECT_NE(engine->learning_json().find(R"("last":{"what":)"), std::string::npos)
        << engine->learning_json();
    const auto report = engine->verify(2);
    ASSERT_TRUE(report.ok()) << report.error().message;
    expect_equal(report->live, report->rebuilt);
    ASSERT_TRUE(engine->checkpoint().ok());
    ASSERT_TRUE(engine->close().ok());
  }
  const auto alarms = open_engine(options)->counts().drift_alarms;
  EXPECT_GE(alarms, 1u);  // also after a start from the checkpoint
  const auto drift_of = [&](Time when) {
    for (const Finding& f : examine(folder.workspace(), when).findings) {
      if (f.check == "drift") return f;
    }
    return Finding{.check = "", .says = ""};
  };
  EXPECT_EQ(drift_of(now).health, Health::kWarn);
  EXPECT_NE(drift_of(now).says.find(" went from "), std::string::npos);
  EXPECT_EQ(drift_of(now + std::chrono::hours(24 * 8)).check, "");  // no news any more
}

// Journals of before say nothing of it: there nothing was watched, in a replay neither.
TEST_F(DriftTest, IsWatchedFromTheStartThatBeganTo) {
  const auto before = decode_setup(R"({"clock":"wall","denied_by_default":0})");
  ASSERT_TRUE(before.ok());
  EXPECT_FALSE(before->is_drift_watched);
  const auto now_on = setup_of(still_options(folder.workspace()), *before);
  ASSERT_TRUE(now_on.ok());
  EXPECT_TRUE(now_on->is_drift_watched);
  EXPECT_TRUE(decode_setup(encode_setup(*now_on, ""))->is_drift_watched);
}

TEST_F(DriftTest, AsksForATrainingOnceAndNotTooSoon) {
  const Time alarm = begin_time() + seconds(7200);
  EXPECT_TRUE(is_asked_by_drift(alarm, begin_time(), alarm));
  EXPECT_FALSE(is_asked_by_drift(alarm, alarm - seconds(60), alarm + seconds(60)));  // too soon
  EXPECT_TRUE(is_asked_by_drift(alarm, alarm - seconds(60), alarm + seconds(3600)));
  EXPECT_FALSE(is_asked_by_drift(alarm, alarm + seconds(1), alarm + seconds(9999)));  // was asked
  EXPECT_FALSE(is_asked_by_drift(Time{}, begin_time(), begin_time() + seconds(9999)));
}

}  // namespace
}  // namespace attune
