// Erasure: nothing readable is left of the person, and everybody else's state is as it was.
#include <fstream>
#include <iterator>

#include "base/bytes.h"
#include "engine/restore.h"
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

std::string bytes_of(const fs::path& file) {
  std::ifstream in(file, std::ios::binary);
  return {(std::istreambuf_iterator<char>(in)), std::istreambuf_iterator<char>()};
}

void expect_none_of(const std::vector<std::string>& secrets, const fs::path& file) {
  const std::string bytes = bytes_of(file);
  EXPECT_FALSE(bytes.empty()) << file;
  for (const std::string& secret : secrets) {
    EXPECT_EQ(bytes.find(secret), std::string::npos) << secret << " in " << file;
  }
}

void expect_none_in_folder(const std::vector<std::string>& secrets, const std::string& folder) {
  std::size_t files = 0;
  for (const auto& entry : fs::recursive_directory_iterator(folder)) {
    if (!entry.is_regular_file() || entry.file_size() == 0) continue;
    ++files;
    expect_none_of(secrets, entry.path());
  }
  EXPECT_GE(files, 3u);  // log, ids, state at the least
}

// The features of a decision's rows that tell of its person's traits, as a row holds them unsealed.
std::vector<std::string> rows_of(const Decision& decision) {
  std::vector<std::string> rows;
  for (const Part& part : decision.shown.at(0).parts) {
    if (part.name.find("Nowheresville") == std::string::npos) continue;
    Writer row(rows.emplace_back());
    row.u32(part.hash);
    row.f32(part.value);
  }
  return rows;
}

TEST(Erase, LeavesTheOthersEqualByteForByteAndNothingReadable) {
  const TempFolder folder;
  const std::string backup = folder.path("backup.tar");
  std::vector<std::string> secrets(std::begin(kSecrets), std::end(kSecrets));
  {
    const auto engine = open_engine(folder.workspace());
    ASSERT_TRUE(engine->control(items(10)).ok());
    live_a_little(*engine, "erased-person@example.org", "cookie-of-the-erased");
    live_a_little(*engine, "other", "other-cookie");
    const auto waiting = engine->decide(feed_for("erased-person@example.org"));
    const std::vector<std::string> rows = rows_of(*waiting);  // wait for an outcome
    ASSERT_GT(rows.size(), 0u);
    secrets.insert(secrets.end(), rows.begin(), rows.end());
    ASSERT_TRUE(engine->checkpoint().ok());  // profiles and what waits are on disk too
    const auto copied = engine->backup(backup);
    ASSERT_TRUE(copied.ok()) << copied.error().message;
    const std::string other = profile_bytes(*engine, "other");
    const std::string cookie = profile_bytes(*engine, "other-cookie", IdType::kAnonymous);
    ASSERT_FALSE(other.empty());
    const auto receipt = engine->erase(IdType::kUser, "erased-person@example.org");
    ASSERT_TRUE(receipt.ok()) << receipt.error().message;
    EXPECT_NE(receipt->find("\"erased_identities\":2"), std::string::npos) << *receipt;
    for (const char* store : {"key_file", "journal", "profiles", "identities", "learner",
                              "item_counters", "message_ids", "backups", "logs", "exports"}) {
      EXPECT_NE(receipt->find("\"" + std::string(store) + "\":{\"done\":"), std::string::npos)
          << store;
    }
    EXPECT_EQ(profile_bytes(*engine, "other"), other);
    EXPECT_EQ(profile_bytes(*engine, "other-cookie", IdType::kAnonymous), cookie);
    for (const IdType type : {IdType::kUser, IdType::kAnonymous}) {
      EXPECT_EQ(engine->profile_of(type, "erased-person@example.org").error().code,
                Code::kNotFound);
      EXPECT_EQ(engine->profile_of(type, "cookie-of-the-erased").error().code, Code::kNotFound);
    }
    EXPECT_EQ(engine->events_of(IdType::kUser, "other", 10)->size(), 3u);
  }
  expect_none_in_folder(secrets, folder.workspace());
  expect_none_of(secrets, backup);
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
