// Erasure: nothing readable is left of the person, and everybody else's state is as it was.
#include <fstream>
#include <iterator>

#include "engine/test_workspace.h"

namespace attune {
namespace {

namespace fs = std::filesystem;

constexpr const char* kSecrets[] = {"erased-person", "Nowheresville-77", "cookie-of-the-erased",
                                    "searched for a rare word"};

void live_a_little(Engine& engine, const std::string& person, const std::string& cookie) {
  Event traits = identify(person, R"({"city":"Nowheresville-77"})", begin_time(), "t" + person);
  traits.anonymous_id = cookie;
  Event search = click(person, "", begin_time(), "s" + person);
  search.verb = Verb::kSearch;
  search.properties = R"({"query":"searched for a rare word"})";
  ASSERT_TRUE(
      ingest(engine, {traits, search, click(person, "i1", begin_time(), "c" + person)}).ok());
  ASSERT_TRUE(engine.decide(feed_for(person)).ok());
}

void expect_no_secret(const std::string& folder) {
  std::size_t files = 0;
  for (const auto& entry : fs::recursive_directory_iterator(folder)) {
    if (!entry.is_regular_file()) continue;
    ++files;
    std::ifstream in(entry.path(), std::ios::binary);
    const std::string bytes((std::istreambuf_iterator<char>(in)), std::istreambuf_iterator<char>());
    for (const char* secret : kSecrets) {
      EXPECT_EQ(bytes.find(secret), std::string::npos) << secret << " in " << entry.path();
    }
  }
  EXPECT_GE(files, 3u);  // log, ids, state at the least
}

TEST(Erase, LeavesTheOthersEqualByteForByteAndNothingReadable) {
  const TempFolder folder;
  const std::string backup = folder.path("backup.attune");
  {
    const auto engine = open_engine(folder.workspace());
    ASSERT_TRUE(engine->control(items(10)).ok());
    live_a_little(*engine, "erased-person@example.org", "cookie-of-the-erased");
    live_a_little(*engine, "other", "other-cookie");
    ASSERT_TRUE(engine->checkpoint().ok());  // profiles are on disk too
    const auto copied = engine->backup(backup);
    ASSERT_TRUE(copied.ok()) << copied.error().message;
    const std::string other = profile_bytes(*engine, "other");
    const std::string cookie = profile_bytes(*engine, "other-cookie", IdType::kAnonymous);
    ASSERT_FALSE(other.empty());
    const auto receipt = engine->erase(IdType::kUser, "erased-person@example.org");
    ASSERT_TRUE(receipt.ok()) << receipt.error().message;
    EXPECT_NE(receipt->find("\"erased_identities\":2"), std::string::npos) << *receipt;
    EXPECT_EQ(profile_bytes(*engine, "other"), other);
    EXPECT_EQ(profile_bytes(*engine, "other-cookie", IdType::kAnonymous), cookie);
    for (const IdType type : {IdType::kUser, IdType::kAnonymous}) {
      EXPECT_EQ(engine->profile_of(type, "erased-person@example.org").error().code,
                Code::kNotFound);
      EXPECT_EQ(engine->profile_of(type, "cookie-of-the-erased").error().code, Code::kNotFound);
    }
    EXPECT_EQ(engine->events_of(IdType::kUser, "other", 10)->size(), 3u);
  }
  expect_no_secret(folder.workspace());
  expect_no_secret(backup);
}

TEST(Erase, ARestoredBackupWithTheNewestKeysDoesNotKnowTheErased) {
  const TempFolder folder;
  const std::string backup = folder.path("backup.attune"), restored = folder.path("restored");
  std::string other;
  {
    const auto engine = open_engine(folder.workspace());
    ASSERT_TRUE(engine->control(items(10)).ok());
    live_a_little(*engine, "erased-person", "cookie-of-the-erased");
    live_a_little(*engine, "other", "other-cookie");
    ASSERT_TRUE(engine->backup(backup).ok());
    other = profile_bytes(*engine, "other");
    ASSERT_TRUE(engine->erase(IdType::kUser, "erased-person").ok());
  }
  fs::copy(backup, restored, fs::copy_options::recursive);
  {
    const auto engine = Engine::open(still_options(restored));
    ASSERT_FALSE(engine.ok()) << "opened without keys";
    EXPECT_NE(engine.error().message.find("key file"), std::string::npos);
  }
  fs::copy_file(folder.workspace() + "/keys", restored + "/keys");
  const auto engine = open_engine(restored);
  ASSERT_NE(engine, nullptr);
  EXPECT_EQ(engine->profile_of(IdType::kUser, "erased-person").error().code, Code::kNotFound);
  EXPECT_EQ(profile_bytes(*engine, "other"), other);
  const auto report = engine->verify(2);
  ASSERT_TRUE(report.ok()) << report.error().message;
  expect_equal(report->live, report->rebuilt);
}

// The files as they were right after the erase record became durable: keys and profile still there.
TEST(Erase, ACrashInBetweenIsFinishedAtTheNextStart) {
  const TempFolder folder;
  const std::string crashed = folder.path("crashed");
  {
    const auto engine = open_engine(folder.workspace());
    ASSERT_TRUE(engine->control(items(10)).ok());
    live_a_little(*engine, "erased-person", "cookie-of-the-erased");
    ASSERT_TRUE(engine->checkpoint().ok());
    fs::copy(folder.workspace(), crashed, fs::copy_options::recursive);
    ASSERT_TRUE(engine->erase(IdType::kUser, "erased-person").ok());
  }
  fs::remove_all(crashed + "/journal");
  fs::copy(folder.workspace() + "/journal", crashed + "/journal", fs::copy_options::recursive);
  const auto engine = open_engine(crashed);
  ASSERT_NE(engine, nullptr);
  EXPECT_EQ(engine->profile_of(IdType::kUser, "erased-person").error().code, Code::kNotFound);
  EXPECT_TRUE(engine->verify(1)->is_equal);
}

}  // namespace
}  // namespace attune
