// The whole loop on real files: restarts, identities, decisions, limits, kill -9.
#include "engine/engine.h"

#include <sys/wait.h>

#include <csignal>

#include "engine/test_workspace.h"
#include "journal/frame.h"

namespace attune {
namespace {

TEST(Engine, ACheckpointIsWhereTheNextStartGoesOn) {
  const TempFolder folder;
  std::vector<FoldHash> before;
  {
    const auto engine = open_engine(folder.workspace());
    ASSERT_TRUE(engine->control(items(9)).ok());
    for (int i = 0; i < 50; ++i) {
      const std::string n = std::to_string(i);
      ASSERT_TRUE(
          ingest(*engine, {click("p" + n, "i" + std::to_string(i % 9), begin_time(), n)}).ok());
    }
    ASSERT_TRUE(engine->checkpoint().ok());
    EXPECT_EQ(engine->counts().checkpoints, 1u);
    ASSERT_TRUE(ingest(*engine, {click("p7", "i2", begin_time(), "after")}).ok());
    ASSERT_TRUE(engine->tick(begin_time() + seconds(5)).ok());
    before = hashes_of(*engine);
  }
  const auto engine = open_engine(folder.workspace(), 3);
  EXPECT_LT(engine->counts().profiles, 5u) << "only those of the journal's tail are loaded";
  expect_equal(hashes_of(*engine), before);
  EXPECT_EQ(ingest(*engine, {click("p3", "i3", begin_time(), "3")})->duplicates, 1u);
  EXPECT_TRUE(engine->verify(2)->is_equal);
}

// Five traits of 240 bytes.
std::string long_traits() {
  std::string traits;
  for (int i = 0; i < 5; ++i) {
    traits +=
        (i == 0 ? "{\"t" : ",\"t") + std::to_string(i) + "\":\"" + std::string(240, 'x') + "\"";
  }
  return traits + "}";
}

TEST(Engine, KeepsTheMemoryLimitAndLosesNothing) {
  const TempFolder folder;
  EngineOptions options = still_options(folder.workspace());
  options.memory_bytes = kLeastMemory;
  const auto engine = open_engine(options);
  const std::string traits = long_traits();
  constexpr int kPersons = 80'000;
  for (int i = 0; i < kPersons;) {
    std::vector<Event> batch;
    for (int k = 0; k < 500; ++k, ++i) {
      const std::string n = std::to_string(i);
      batch.push_back(identify("p" + n, traits, begin_time(), "m" + n));
    }
    ASSERT_TRUE(ingest(*engine, std::move(batch)).ok());
    if (i % 10'000 == 0) {
      ASSERT_TRUE(engine->checkpoint().ok());
    }
  }
  std::uint64_t all = 0, profiles = 0;
  for (const MemoryPart& part : engine->memory()) {
    all += part.bytes;
    if (part.name == "profiles") profiles = part.bytes;
  }
  EXPECT_LT(all, kLeastMemory);
  EXPECT_LT(engine->counts().profiles, kPersons) << profiles;
  for (const char* person : {"p0", "p30000", "p79999"}) {
    const auto profile = engine->profile_of(IdType::kUser, person);
    ASSERT_TRUE(profile.ok());
    ASSERT_EQ(profile->traits.size(), 5u) << person;
  }
}

TEST(Engine, AnotherMemoryLimitHoldsFromTheNextCheckpoint) {
  const TempFolder folder;
  const auto engine = open_engine(still_options(folder.workspace()));
  const std::string traits = long_traits();
  constexpr std::uint64_t kPersons = 20'000;
  const auto touch_all = [&](const std::string& round) {
    for (std::uint64_t i = 0; i < kPersons;) {
      std::vector<Event> batch;
      for (int k = 0; k < 500; ++k, ++i) {
        const std::string n = std::to_string(i);
        batch.push_back(identify("p" + n, traits, begin_time(), round + n));
      }
      ASSERT_TRUE(ingest(*engine, std::move(batch)).ok());
    }
    ASSERT_TRUE(engine->checkpoint().ok());
  };
  touch_all("a");
  engine->set_memory_limit(kLeastMemory / 16);
  EXPECT_EQ(engine->counts().profiles, kPersons);
  ASSERT_TRUE(ingest(*engine, {click("p0", "i1", begin_time(), "c")}).ok());
  ASSERT_TRUE(engine->checkpoint().ok());
  EXPECT_LT(engine->counts().profiles, kPersons);
  engine->set_memory_limit(0);
  touch_all("b");
  touch_all("c");
  EXPECT_EQ(engine->counts().profiles, kPersons);
}

TEST(Engine, TooLittleMemoryIsRefused) {
  const TempFolder folder;
  EngineOptions options = still_options(folder.workspace());
  options.memory_bytes = 1 << 20;
  const auto engine = Engine::open(options);
  ASSERT_FALSE(engine.ok());
  EXPECT_EQ(engine.error().message, "memory is 1 MB, must be at least 128 MB");
}

TEST(Engine, AFullDiskRefusesEventsAndKeepsDeciding) {
  const TempFolder folder;
  EngineOptions options = still_options(folder.workspace());
  options.disk_used = [](const std::string&) { return 0.951; };
  const auto engine = open_engine(options);
  ASSERT_TRUE(engine->control(items(9)).ok());
  const auto refused = ingest(*engine, {click("ann", "i1", begin_time(), "1")});
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().code, Code::kUnavailable);
  EXPECT_NE(refused.error().message.find("95 % full"), std::string::npos);
  EXPECT_FALSE(engine->ready().ok());
  const auto decision = engine->decide(feed_for("ann"));
  ASSERT_TRUE(decision.ok());
  EXPECT_EQ(decision->shown.size(), 3u);
}

TEST(Engine, ADiskFullAtANewLogFileRefusesEventsKeepsDecidingAndComesBack) {
  constexpr Position kMost = 400;
  const TempFolder folder;
  const std::string journal = folder.workspace() + "/journal";
  EngineOptions options = still_options(folder.workspace());
  options.log_file_bytes = 6000;
  const auto event = [](int n) {
    const std::string id = std::to_string(n);
    return click("ann", "i1", begin_time() + seconds(n), id);
  };
  int stored = 0;
  {
    const auto engine = open_engine(options);
    ASSERT_TRUE(engine->control(items(9)).ok());
    for (Position next = 2; next < kMost; ++next) {
      std::filesystem::create_symlink("/dev/full", log_path(journal, next));
    }
    auto answer = ingest(*engine, {event(0)});
    for (; answer.ok() && stored < 300; answer = ingest(*engine, {event(++stored)})) continue;
    ASSERT_FALSE(answer.ok());
    EXPECT_EQ(answer.error().code, Code::kUnavailable);
    EXPECT_NE(answer.error().message.find(journal + "/0"), std::string::npos);
    EXPECT_NE(answer.error().message.find("No space left on device"), std::string::npos);
    EXPECT_EQ(answer.error().hint, "free disk space, then start again");
    EXPECT_EQ(ingest(*engine, {event(999)}).error().code, Code::kUnavailable);
    const auto decision = engine->decide(feed_for("ann"));
    ASSERT_TRUE(decision.ok());
    EXPECT_EQ(decision->shown.size(), 3u);
    EXPECT_FALSE(decision->is_recorded);
    (void)engine->close();
  }
  for (Position next = 2; next < kMost; ++next) std::filesystem::remove(log_path(journal, next));
  const auto engine = open_engine(options);
  ASSERT_NE(engine, nullptr);
  EXPECT_EQ(engine->events_of(IdType::kUser, "ann", 1000)->size(),
            static_cast<std::size_t>(stored));
  EXPECT_EQ(ingest(*engine, {event(stored)})->accepted, 1u);
  EXPECT_EQ(ingest(*engine, {event(0)})->duplicates, 1u);
}

TEST(Engine, StoresNothingMoreOfWhoRefusesStorage) {
  const TempFolder folder;
  const auto engine = open_engine(folder.workspace());
  ASSERT_TRUE(ingest(*engine, {click("ann", "i1", begin_time(), "1")}).ok());
  Event refusal = click("ann", "i2", begin_time(), "2");
  refusal.context = R"({"consent":{"categoryPreferences":{"storage":false}}})";
  ASSERT_TRUE(ingest(*engine, {refusal}).ok());
  EXPECT_EQ(ingest(*engine, {click("ann", "i3", begin_time(), "3")})->dropped_by_consent, 1u);
  const auto events = engine->events_of(IdType::kUser, "ann", 10);
  ASSERT_EQ(events->size(), 2u);
  EXPECT_EQ(events->front().name, "consent");
  EXPECT_EQ(events->front().item_id, "") << "what was refused is not stored";
  Event consent = click("ann", "i4", begin_time(), "4");
  consent.context = R"({"consent":{"categoryPreferences":{"storage":true}}})";
  EXPECT_EQ(ingest(*engine, {consent})->accepted, 1u);
  EXPECT_EQ(ingest(*engine, {click("ann", "i5", begin_time(), "5")})->accepted, 1u);
}

TEST(Engine, RetentionDropsOldLogFilesAndKeepsTheState) {
  const TempFolder folder;
  EngineOptions options = still_options(folder.workspace());
  options.log_file_bytes = 4096;
  options.retention_s = 3600;
  std::vector<FoldHash> before;
  {
    const auto engine = open_engine(options);
    for (int i = 0; i < 200; ++i) {
      const std::string n = std::to_string(i);
      const Time when = begin_time() + seconds(i * 60);
      ASSERT_TRUE(ingest(*engine, {click("p" + n, "i1", when, n)}).ok());
    }
    EXPECT_EQ(engine->events_of(IdType::kUser, "p0", 10)->size(), 1u);
    const auto dropped = engine->retain();
    ASSERT_TRUE(dropped.ok()) << dropped.error().message;
    EXPECT_GT(*dropped, 50u);
    EXPECT_EQ(engine->events_of(IdType::kUser, "p0", 10)->size(), 0u);
    EXPECT_EQ(engine->events_of(IdType::kUser, "p199", 10)->size(), 1u);
    EXPECT_EQ(*engine->retain(), 0u) << "nothing more to drop";
    before = hashes_of(*engine);
    EXPECT_TRUE(engine->verify(2)->is_equal);
  }
  expect_equal(hashes_of(*open_engine(options)), before);
}

TEST(Engine, CountsAMessageIdOnceAcrossRestarts) {
  const TempFolder folder;
  const Event event = click("ann", "i1", begin_time(), "same-id");
  std::vector<FoldHash> before;
  {
    const auto engine = open_engine(folder.workspace());
    EXPECT_EQ(ingest(*engine, {event, event})->duplicates, 1u);
    ASSERT_TRUE(engine->tick(engine->now()).ok());
    before = hashes_of(*engine);
  }
  const auto engine = open_engine(folder.workspace());
  EXPECT_EQ(ingest(*engine, {event})->duplicates, 1u);
  ASSERT_TRUE(engine->tick(engine->now()).ok());
  EXPECT_EQ(hashes_of(*engine), before);
}

TEST(Engine, UnlinkingRestoresBothProfiles) {
  const TempFolder folder;
  const auto engine = open_engine(folder.workspace());
  ASSERT_TRUE(ingest(*engine, {click("ann", "i1", begin_time(), "1")}).ok());
  const std::string alone = profile_bytes(*engine, "ann");
  Event visit = click("", "i2", begin_time(), "2");
  visit.anonymous_id = "cookie";
  ASSERT_TRUE(ingest(*engine, {visit}).ok());
  Event alias;
  alias.verb = Verb::kAlias;
  alias.type = "alias";
  alias.user_id = "ann";
  alias.previous_id = "cookie";
  alias.message_id = "3";
  alias.time = begin_time();
  ASSERT_TRUE(ingest(*engine, {alias}).ok());
  EXPECT_EQ(engine->profile_of(IdType::kUser, "ann")->touches.size(), 2u);
  ASSERT_TRUE(engine->unlink("ann", "cookie").ok());
  EXPECT_EQ(engine->profile_of(IdType::kUser, "ann")->touches.size(), 1u);
}

TEST(Engine, EventsOfAPersonComeNewestFirstFromAnyDepth) {
  const TempFolder folder;
  const auto engine = open_engine(folder.workspace());
  constexpr int kEvents = 40'000;  // more than one stretch
  std::vector<Event> batch;
  for (int i = 0; i < kEvents; ++i) {
    const std::string n = std::to_string(i);
    const char* who = i < 3 ? "early" : i % 1000 == 0 ? "often" : "else";
    batch.push_back(click(who, "i1", begin_time(), n));
    if (batch.size() == 1000) {
      ASSERT_TRUE(ingest(*engine, std::exchange(batch, {})).ok());
    }
  }
  const auto often = engine->events_of(IdType::kUser, "often", 30);
  ASSERT_EQ(often->size(), 30u);
  for (int i = 0; i < 30; ++i) {
    EXPECT_EQ((*often)[static_cast<std::size_t>(i)].message_id, std::to_string((39 - i) * 1000));
  }
  const auto early = engine->events_of(IdType::kUser, "early", 10);
  ASSERT_EQ(early->size(), 3u);
  EXPECT_EQ(early->front().message_id, "2");
}

TEST(Engine, NextDecisionKnowsTheEventAndDoesNotRepeat) {
  const TempFolder folder;
  const auto engine = open_engine(folder.workspace());
  ASSERT_TRUE(engine->control(items(9)).ok());
  std::vector<std::string> shown;
  for (int round = 0; round < 3; ++round) {
    const auto decision =
        engine->decide({.person_id = "ann", .placement = "feed", .n = 3, .candidates = {}});
    ASSERT_TRUE(decision.ok());
    ASSERT_EQ(decision->shown.size(), 3u);
    for (const ShownItem& item : decision->shown) shown.push_back(item.item_id);
  }
  std::sort(shown.begin(), shown.end());
  EXPECT_EQ(std::unique(shown.begin(), shown.end()), shown.end());
}

TEST(Engine, ExplainReadsTheDecisionBack) {
  const TempFolder folder;
  const auto engine = open_engine(folder.workspace());
  ASSERT_TRUE(engine->control(items(9)).ok());
  const auto decision =
      engine->decide({.person_id = "ann", .placement = "feed", .n = 3, .candidates = {}});
  ASSERT_TRUE(decision.ok());
  const auto found = engine->find_decision(decision->id);
  ASSERT_TRUE(found.ok()) << found.error().message;
  EXPECT_EQ(decision_json(*found, true), decision_json(*decision, true));
  EXPECT_EQ(engine->find_decision("d_00000000000000000000000000").error().code, Code::kNotFound);
}

// The child stores events and tells each acknowledged id through a pipe; the parent kills it.
void store_until_killed(const std::string& workspace, int round, int out) {
  const auto engine = open_engine(workspace);
  for (std::uint32_t n = 0;; ++n) {
    const std::string id = std::to_string(round) + "-" + std::to_string(n);
    Event event = click("ann", "i1", begin_time(), id);
    if (!ingest(*engine, {event}).ok()) ::_exit(1);
    if (::write(out, &n, sizeof n) != sizeof n) ::_exit(1);
  }
}

TEST(Engine, KillNineLosesNoAcknowledgedEventAndDoublesNone) {
  const TempFolder folder;
  std::size_t acknowledged = 0;
  Rng rng(11);
  constexpr int kRounds = 20;
  for (int round = 0; round < kRounds; ++round) {
    int pipe_ends[2];
    ASSERT_EQ(::pipe(pipe_ends), 0);
    const pid_t child = ::fork();
    if (child == 0) store_until_killed(folder.workspace(), round, pipe_ends[1]);
    ::close(pipe_ends[1]);
    std::uint32_t n = 0;
    for (std::uint64_t wanted = 1 + rng.below(20); wanted > 0; --wanted) {
      ASSERT_EQ(::read(pipe_ends[0], &n, sizeof n), static_cast<ssize_t>(sizeof n));
    }
    ::kill(child, SIGKILL);
    while (::read(pipe_ends[0], &n, sizeof n) == static_cast<ssize_t>(sizeof n)) continue;
    ::waitpid(child, nullptr, 0);
    ::close(pipe_ends[0]);
    acknowledged += n + 1;
  }
  const auto engine = open_engine(folder.workspace());
  const auto events = engine->events_of(IdType::kUser, "ann", 1'000'000);
  ASSERT_TRUE(events.ok()) << events.error().message;
  std::vector<std::string> ids;
  for (const Event& event : *events) ids.push_back(event.message_id);
  std::sort(ids.begin(), ids.end());
  EXPECT_EQ(std::unique(ids.begin(), ids.end()), ids.end());
  EXPECT_GE(ids.size(), acknowledged);
  EXPECT_LE(ids.size(), acknowledged + kRounds);  // at most the one under way each round
}

}  // namespace
}  // namespace attune
