// The whole loop on real files: replay equals live, erasure, duplicates, kill -9.
#include "engine/engine.h"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <fstream>
#include <future>
#include <iterator>

#include "base/rng.h"

namespace attune {
namespace {

constexpr std::int64_t kBeginUs = 1'767'225'600'000'000;

class TempFolder {
 public:
  TempFolder() {
    path_ = std::filesystem::temp_directory_path() / "attune-test-XXXXXX";
    CHECK(::mkdtemp(path_.data()) != nullptr);
  }
  ~TempFolder() { std::filesystem::remove_all(path_); }
  std::string workspace() const { return path_ + "/w"; }

 private:
  std::string path_;
};

std::unique_ptr<Engine> open_engine(const std::string& workspace, int shards = 1) {
  EngineOptions options;
  options.workspace = workspace;
  options.clock = Clock::kEvent;
  options.shards = shards;
  options.is_ticking = false;
  auto engine = Engine::open(options);
  if (!engine.ok()) ADD_FAILURE() << engine.error().message;
  return engine.ok() ? std::move(engine).value() : nullptr;
}

Result<IngestReport> ingest(Engine& engine, std::vector<Event> events) {
  std::promise<Result<IngestReport>> done;
  engine.ingest(std::move(events),
                [&](const Result<IngestReport>& report) { done.set_value(report); });
  return done.get_future().get();
}

Event click(const std::string& person, const std::string& item, Time time, const std::string& id) {
  Event event;
  event.verb = Verb::kClick;
  event.type = "track";
  event.name = "click";
  event.message_id = id;
  event.user_id = person;
  event.item_id = item;
  event.time = time;
  event.properties = "{\"item_id\":\"" + item + "\"}";
  return event;
}

std::vector<std::string> items(int n) {
  std::vector<std::string> changes;
  for (int i = 0; i < n; ++i) {
    changes.push_back("{\"op\":\"put_item\",\"item\":{\"id\":\"i" + std::to_string(i) +
                      "\",\"category\":\"c" + std::to_string(i % 4) + "\"}}");
  }
  return changes;
}

// Decisions, clicks, merges, duplicates, late events, erasures, all from one seed.
void random_history(Engine& engine, std::uint64_t seed, int steps) {
  Rng rng(seed);
  ASSERT_TRUE(engine.control(items(40)).ok());
  Time now = time_from_us(kBeginUs);
  for (int step = 0; step < steps; ++step) {
    now += seconds(rng.uniform() * 120);
    const std::string person = "person-" + std::to_string(rng.below(20));
    const std::uint64_t what = rng.below(20);
    if (what < 8) {
      const auto decision =
          engine.decide({.person_id = person, .placement = "feed", .n = 3, .candidates = {}});
      ASSERT_TRUE(decision.ok()) << decision.error().message;
      for (const ShownItem& shown : decision->shown) {
        if (!rng.chance(0.3)) continue;
        Event event = click(person, shown.item_id, now, "d" + std::to_string(step) + shown.item_id);
        event.decision_id = decision->id;
        ASSERT_TRUE(ingest(engine, {event}).ok());
      }
    } else if (what < 18) {
      const Time when = rng.chance(0.2) ? now - seconds(86400) : now;
      const std::string id = "m" + std::to_string(rng.below(static_cast<std::uint64_t>(steps)));
      Event event = click(person, "i" + std::to_string(rng.below(50)), when, id);
      if (rng.chance(0.1)) event.anonymous_id = "anonymous-" + std::to_string(rng.below(10));
      ASSERT_TRUE(ingest(engine, {event}).ok());
    } else if (what == 18) {
      ASSERT_TRUE(engine.tick(now).ok());
    } else if (rng.chance(0.2)) {
      (void)engine.erase(IdType::kUser, person);  // unknown persons are refused, which is fine
    }
  }
  ASSERT_TRUE(engine.tick(now).ok());
}

class EngineReplay : public testing::TestWithParam<std::uint64_t> {};

TEST_P(EngineReplay, EqualsLiveForAnyNumberOfShards) {
  const TempFolder folder;
  std::vector<FoldHash> live;
  {
    const auto engine = open_engine(folder.workspace());
    random_history(*engine, GetParam(), 400);
    live = engine->fold_hashes();
    EXPECT_GT(engine->counts().updates, 0u);
  }
  for (const int shards : {1, 2, 7}) {
    const auto rebuilt = open_engine(folder.workspace(), shards)->fold_hashes();
    ASSERT_EQ(rebuilt.size(), live.size());
    for (std::size_t i = 0; i < live.size(); ++i) {
      EXPECT_EQ(rebuilt[i].hash, live[i].hash) << live[i].fold << " with " << shards << " shards";
    }
  }
}
INSTANTIATE_TEST_SUITE_P(Seeds, EngineReplay, testing::Values(1, 2, 3, 4, 5));

std::string profile_bytes(Engine& engine, const std::string& person) {
  std::string bytes;
  const auto profile = engine.profile_of(IdType::kUser, person);
  if (profile.ok()) profile->encode(bytes);
  return bytes;
}

TEST(Engine, ErasingOnePersonLeavesTheOthersEqualAndNoReadableByte) {
  const TempFolder folder;
  {
    const auto engine = open_engine(folder.workspace());
    ASSERT_TRUE(engine->control(items(10)).ok());
    Event traits;
    traits.verb = Verb::kIdentify;
    traits.type = "identify";
    traits.user_id = "erased-person@example.org";
    traits.anonymous_id = "cookie-of-the-erased";
    traits.message_id = "id1";
    traits.time = time_from_us(kBeginUs);
    traits.traits = R"({"city":"Nowheresville-77"})";
    ASSERT_TRUE(ingest(*engine, {traits}).ok());
    for (const char* person : {"erased-person@example.org", "other"}) {
      ASSERT_TRUE(ingest(*engine, {click(person, "i1", time_from_us(kBeginUs), person)}).ok());
      ASSERT_TRUE(
          engine->decide({.person_id = person, .placement = "feed", .n = 3, .candidates = {}})
              .ok());
    }
    const std::string other = profile_bytes(*engine, "other");
    ASSERT_FALSE(other.empty());
    ASSERT_TRUE(engine->erase(IdType::kUser, "erased-person@example.org").ok());
    EXPECT_EQ(profile_bytes(*engine, "other"), other);
    EXPECT_EQ(engine->profile_of(IdType::kUser, "erased-person@example.org").error().code,
              Code::kNotFound);
    EXPECT_EQ(engine->profile_of(IdType::kAnonymous, "cookie-of-the-erased").error().code,
              Code::kNotFound);
  }
  for (const auto& entry : std::filesystem::recursive_directory_iterator(folder.workspace())) {
    if (!entry.is_regular_file()) continue;
    std::ifstream in(entry.path(), std::ios::binary);
    const std::string bytes((std::istreambuf_iterator<char>(in)), std::istreambuf_iterator<char>());
    for (const char* secret : {"erased-person", "Nowheresville-77", "cookie-of-the-erased"}) {
      EXPECT_EQ(bytes.find(secret), std::string::npos) << entry.path();
    }
  }
}

TEST(Engine, CountsAMessageIdOnceAcrossRestarts) {
  const TempFolder folder;
  const Event event = click("ann", "i1", time_from_us(kBeginUs), "same-id");
  std::vector<FoldHash> before;
  {
    const auto engine = open_engine(folder.workspace());
    EXPECT_EQ(ingest(*engine, {event, event})->duplicates, 1u);
    ASSERT_TRUE(engine->tick(engine->now()).ok());
    before = engine->fold_hashes();
  }
  const auto engine = open_engine(folder.workspace());
  EXPECT_EQ(ingest(*engine, {event})->duplicates, 1u);
  ASSERT_TRUE(engine->tick(engine->now()).ok());
  EXPECT_EQ(engine->fold_hashes(), before);
}

TEST(Engine, UnlinkingRestoresBothProfiles) {
  const TempFolder folder;
  const auto engine = open_engine(folder.workspace());
  ASSERT_TRUE(ingest(*engine, {click("ann", "i1", time_from_us(kBeginUs), "1")}).ok());
  const std::string alone = profile_bytes(*engine, "ann");
  Event visit = click("", "i2", time_from_us(kBeginUs), "2");
  visit.anonymous_id = "cookie";
  ASSERT_TRUE(ingest(*engine, {visit}).ok());
  Event alias;
  alias.verb = Verb::kAlias;
  alias.type = "alias";
  alias.user_id = "ann";
  alias.previous_id = "cookie";
  alias.message_id = "3";
  alias.time = time_from_us(kBeginUs);
  ASSERT_TRUE(ingest(*engine, {alias}).ok());
  EXPECT_EQ(engine->profile_of(IdType::kUser, "ann")->touches.size(), 2u);
  ASSERT_TRUE(engine->unlink("ann", "cookie").ok());
  EXPECT_EQ(engine->profile_of(IdType::kUser, "ann")->touches.size(), 1u);
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

TEST(Engine, TwoOnOneWorkspaceIsAConflict) {
  const TempFolder folder;
  const auto first = open_engine(folder.workspace());
  EngineOptions options;
  options.workspace = folder.workspace();
  const auto second = Engine::open(options);
  ASSERT_FALSE(second.ok());
  EXPECT_EQ(second.error().code, Code::kConflict);
}

// The child stores events and tells each acknowledged id through a pipe; the parent kills it.
void store_until_killed(const std::string& workspace, int round, int out) {
  const auto engine = open_engine(workspace);
  for (std::uint32_t n = 0;; ++n) {
    const std::string id = std::to_string(round) + "-" + std::to_string(n);
    Event event = click("ann", "i1", time_from_us(kBeginUs), id);
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
