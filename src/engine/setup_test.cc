#include "engine/setup.h"

#include <fstream>
#include <thread>

#include "base/log.h"
#include "engine/options.h"
#include "engine/test_workspace.h"
#include "profile/profile.h"

namespace attune {
namespace {

constexpr auto kStorage = static_cast<std::uint8_t>(Purpose::kStorage);

std::string slurp(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

struct SetupTest : testing::Test {
  TempFolder folder;
  std::unique_ptr<Log> log =
      Log::open({.level = "info", .file = folder.path("log")}, [] { return Time{}; }).value();
  std::unique_ptr<Engine> open(EngineOptions options) {
    options.log = log.get();
    return open_engine(options);
  }
  std::string logged() const { return slurp(folder.path("log")); }
  std::size_t journalled(const std::string& text) const {
    const std::string bytes = slurp(folder.workspace() + "/journal/00000000000000000001.log");
    std::size_t count = 0;
    for (auto at = bytes.find(text); at != std::string::npos; at = bytes.find(text, at + 1)) {
      ++count;
    }
    return count;
  }
};

TEST_F(SetupTest, SettingsAreJournalledWhenTheyChange) {
  EngineOptions options = still_options(folder.workspace());
  options.settings = R"({"workspace.shards":1})";
  ASSERT_TRUE(open(options)->close().ok());
  ASSERT_TRUE(open(options)->close().ok());
  EXPECT_EQ(journalled(R"("settings":{"workspace.shards":1})"), 1u);
  options.settings = R"({"workspace.shards":2})";
  ASSERT_TRUE(open(options)->close().ok());
  options.settings = "";  // a command that only looks
  ASSERT_TRUE(open(options)->close().ok());
  EXPECT_EQ(journalled(R"("settings":)"), 2u);
  EXPECT_EQ(journalled(R"("settings_hash":)"), 4u);
}

TEST_F(SetupTest, AWorkspaceKeepsItsClock) {
  EngineOptions options = still_options(folder.workspace());
  {
    const auto engine = open(options);
    ASSERT_TRUE(engine->tick(begin_time()).ok());
    ASSERT_TRUE(engine->checkpoint().ok());
  }
  options.clock = Clock::kAsBefore;
  const auto engine = open(options);
  EXPECT_EQ(engine->clock(), Clock::kEvent);
  EXPECT_EQ(engine->now(), begin_time());
}

TEST_F(SetupTest, AWorkspaceKeepsItsTimeZone) {
  const attune::Setup none;
  EngineOptions options;
  options.time_zone = "Asia/Kolkata";
  const attune::Setup setup = setup_of(options, none).value();
  const attune::Setup read_back = decode_setup(encode_setup(setup, "")).value();
  EXPECT_EQ(read_back.zone->name(), "Asia/Kolkata");
  EXPECT_EQ(hour_of_day(read_back.zone->local(begin_time())), 5);  // midnight in UTC
  EXPECT_EQ(setup_of(EngineOptions(), read_back)->zone->name(), "Asia/Kolkata");
  EXPECT_EQ(setup_of(EngineOptions(), none)->zone->name(), "UTC");
  options.time_zone = "Asia/Kolkatta";
  EXPECT_EQ(setup_of(options, none).error().hint, "did you mean Asia/Kolkata?");
}

// It holds from its record on, through checkpoint, rebuild and start.
TEST_F(SetupTest, ARebuildMeansTheTimeZoneOfEachRecord) {
  EngineOptions options = still_options(folder.workspace());
  for (const char* zone : {"Europe/Berlin", "", "America/New_York", ""}) {
    options.time_zone = zone;
    const auto engine = open(options);
    ASSERT_TRUE(engine->verify(2)->is_equal) << zone;
    if (options.time_zone.empty()) {
      ASSERT_TRUE(engine->checkpoint().ok());
    }
    ASSERT_TRUE(engine->close().ok());
  }
  EXPECT_GE(journalled(R"("time_zone":"Europe/Berlin")"), 2u);
  EXPECT_GE(journalled(R"("time_zone":"America/New_York")"), 2u);
}

// What was dropped for want of consent under one default stays dropped under the next.
TEST_F(SetupTest, AReplayReadsEachRecordUnderTheDefaultOfItsTime) {
  EngineOptions options = still_options(folder.workspace());
  const auto feed = [&](const std::string& person) {
    const auto engine = open(options);
    ASSERT_TRUE(ingest(*engine, {click(person, "i1", begin_time(), "m-" + person)}).ok());
    ASSERT_TRUE(engine->close().ok());
  };
  options.denied_by_default = static_cast<std::uint8_t>(Purpose::kAnalytics);
  feed("ann");
  options.denied_by_default = std::uint8_t{0};
  feed("bob");
  options.denied_by_default = std::nullopt;
  const auto engine = open(options);
  const auto report = engine->verify(2);
  ASSERT_TRUE(report.ok()) << report.error().message;
  EXPECT_TRUE(report->is_equal);
  EXPECT_EQ(engine->profile_of(IdType::kUser, "ann")->denied_purposes, 1);
  EXPECT_EQ(engine->profile_of(IdType::kUser, "bob")->denied_purposes, 0);
}

TEST_F(SetupTest, StorageDeniedByDefaultDropsEventsAcrossRestarts) {
  EngineOptions options = still_options(folder.workspace());
  options.denied_by_default = kStorage;
  ASSERT_TRUE(open(options)->close().ok());
  options.denied_by_default = std::nullopt;
  const auto engine = open(options);
  const auto report = ingest(*engine, {click("ann", "i1", begin_time(), "m-1")});
  ASSERT_TRUE(report.ok());
  EXPECT_EQ(report->dropped_by_consent, 1u);
}

TEST_F(SetupTest, ATornTailIsLoggedWithFileAndBytes) {
  ASSERT_TRUE(open(still_options(folder.workspace()))->close().ok());
  const std::string file = folder.workspace() + "/journal/00000000000000000001.log";
  std::ofstream(file, std::ios::app) << "torn";
  ASSERT_TRUE(open(still_options(folder.workspace()))->close().ok());
  EXPECT_NE(logged().find("warn torn_tail_cut file=" + file + " bytes=4\n"), std::string::npos)
      << logged();
}

TEST_F(SetupTest, AFullDiskIsLoggedOnceAndOnceThatItHasRoom) {
  EngineOptions options = still_options(folder.workspace());
  std::atomic<int> looks = 0;
  options.disk_used = [&](const std::string&) { return looks++ < 3 ? 0.99 : 0.5; };
  options.is_ticking = true;
  options.tick_ms = 1;
  const auto engine = open(options);
  while (!engine->ready().ok() || looks < 5) continue;
  ASSERT_TRUE(engine->close().ok());
  const std::string said = logged();
  EXPECT_EQ(said.find("error disk_full"), said.rfind("error disk_full")) << said;
  EXPECT_NE(said.find("info disk_has_room"), std::string::npos) << said;
}

TEST_F(SetupTest, AFailedCheckpointIsLoggedOnceAndThatItIsOver) {
  EngineOptions options = still_options(folder.workspace());
  options.is_ticking = true;
  options.checkpoint_s = 0.001;
  const std::string models = folder.workspace() + "/models";
  std::filesystem::create_directories(folder.workspace());
  std::ofstream(models) << "a file where a folder must be";
  const auto engine = open(options);
  const auto wait_for = [&](const std::string& event) {
    while (logged().find(event) == std::string::npos) std::this_thread::yield();
  };
  ASSERT_TRUE(engine->control(items(1)).ok());
  ASSERT_TRUE(ingest(*engine, {click("ann", "i0", begin_time(), "m")}).ok());
  const auto decision = engine->decide(feed_for("ann", 1));
  ASSERT_TRUE(decision.ok());
  ASSERT_TRUE(ingest(*engine, {click("ann", "i0", begin_time() + seconds(4000), "n")}).ok());
  wait_for("error checkpoint_failed message=");
  std::filesystem::remove(models);
  wait_for("info recovered after=checkpoint_failed");
  ASSERT_TRUE(engine->close().ok());
  const std::string said = logged();
  EXPECT_EQ(said.find("checkpoint_failed message"), said.rfind("checkpoint_failed message"));
}

TEST(EngineOptions, ConsentDefaultBecomesThePurposesDenied) {
  EngineSettings settings;
  Config config;
  bind(settings, config);
  EXPECT_EQ(engine_options(settings)->denied_by_default, 0);
  ASSERT_TRUE(config.set("consent.default", std::string("storage,analytics"), "test").ok());
  EXPECT_EQ(engine_options(settings)->denied_by_default, 6);  // personalization, advertising
}

TEST(EngineOptions, TooLittleMemoryIsRefused) {
  EngineSettings settings;
  settings.options.memory_bytes = 1 << 20;
  const auto options = engine_options(settings);
  ASSERT_FALSE(options.ok());
  EXPECT_EQ(options.error().message,
            "workspace.memory_bytes is 1048576, must be 0 or at least 134217728");
}

}  // namespace
}  // namespace attune
