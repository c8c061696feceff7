// Backup and restore: one archive without keys, whole or named as damaged, and honest of the
// erased.
#include <fstream>
#include <iterator>

#include "engine/archive.h"
#include "engine/restore.h"
#include "engine/test_workspace.h"

namespace attune {
namespace {

namespace fs = std::filesystem;

std::string bytes_of(const std::string& file) {
  std::ifstream in(file, std::ios::binary);
  return {(std::istreambuf_iterator<char>(in)), std::istreambuf_iterator<char>()};
}

void write(const std::string& file, std::string_view bytes) {
  std::ofstream(file, std::ios::binary).write(bytes.data(), std::ssize(bytes));
}

void live(Engine& engine, int persons, const std::string& prefix = "p") {
  ASSERT_TRUE(engine.control(items(50)).ok());
  for (int i = 0; i < persons; ++i) {
    const std::string who = prefix + std::to_string(i);
    const auto decision = engine.decide(feed_for(who));
    ASSERT_TRUE(decision.ok());
    Event event = click(who, decision->shown.at(0).item_id, begin_time() + seconds(i), who);
    event.decision_id = decision->id;
    ASSERT_TRUE(ingest(engine, {event}).ok());
  }
}

void expect_whole(Engine& engine) {
  const auto report = engine.verify(2);
  ASSERT_TRUE(report.ok()) << report.error().message;
  expect_equal(report->live, report->rebuilt);
  EXPECT_TRUE(report->is_equal) << report->rows.first_difference;
}

class Backup : public testing::TestWithParam<const char*> {};

TEST_P(Backup, ComesBackAsItWas) {
  const TempFolder folder;
  const std::string archive = folder.path(GetParam());
  std::vector<FoldHash> before;
  {
    const auto engine = open_engine(folder.workspace());
    live(*engine, 30);
    ASSERT_TRUE(engine->erase(IdType::kUser, "p3").ok());  // before: a base is inside too
    const auto report = engine->backup(archive);
    ASSERT_TRUE(report.ok()) << report.error().message;
    EXPECT_EQ(report->bytes, fs::file_size(archive));
    before = hashes_of(*engine);
    EXPECT_EQ(engine->backup(archive).error().code, Code::kConflict) << "never over another one";
  }
  const auto report =
      restore_workspace(archive, folder.workspace() + "/keys", folder.path("restored"));
  ASSERT_TRUE(report.ok()) << report.error().message;
  EXPECT_EQ(report->events, 29u);
  EXPECT_EQ(report->decisions, 29u);
  EXPECT_EQ(report->identities, 29u);
  EXPECT_EQ(report->erased, 0u);
  const auto engine = open_engine(folder.path("restored"));
  ASSERT_NE(engine, nullptr);
  expect_equal(hashes_of(*engine), before);
  expect_whole(*engine);
  EXPECT_EQ(ingest(*engine, {click("p1", "i1", begin_time(), "p1")})->duplicates, 1u);
}
INSTANTIATE_TEST_SUITE_P(Names, Backup, testing::Values("b.tar", "b.tar.zst"));

TEST(Restore, DoesNotKnowWhoWasErasedAfterTheBackup) {
  const TempFolder folder;
  const std::string archive = folder.path("b.tar");
  std::string other;
  {
    const auto engine = open_engine(folder.workspace());
    live(*engine, 10);
    ASSERT_TRUE(engine->backup(archive).ok());
    other = profile_bytes(*engine, "p1");
    ASSERT_TRUE(engine->erase(IdType::kUser, "p7").ok());  // without any link
  }
  const auto report =
      restore_workspace(archive, folder.workspace() + "/keys", folder.path("restored"));
  ASSERT_TRUE(report.ok()) << report.error().message;
  EXPECT_EQ(report->erased, 1u);
  EXPECT_EQ(report->events, 9u);
  const auto engine = open_engine(folder.path("restored"));
  EXPECT_EQ(engine->profile_of(IdType::kUser, "p7").error().code, Code::kNotFound);
  EXPECT_EQ(profile_bytes(*engine, "p1"), other);
  expect_whole(*engine);
}

TEST(Restore, ByHandIsAsHonest) {
  const TempFolder folder;
  const std::string archive = folder.path("b.tar"), hand = folder.path("by-hand");
  {
    const auto engine = open_engine(folder.workspace());
    live(*engine, 10);
    ASSERT_TRUE(engine->backup(archive).ok());
    ASSERT_TRUE(engine->erase(IdType::kUser, "p7").ok());
  }
  fs::create_directory(hand);
  ASSERT_TRUE(extract_archive(archive, hand, [](std::string_view) { return true; }).ok());
  const auto keyless = Engine::open(still_options(hand));
  ASSERT_FALSE(keyless.ok()) << "opened without keys";
  EXPECT_NE(keyless.error().message.find("no key file"), std::string::npos);
  fs::copy_file(folder.workspace() + "/keys", hand + "/keys");
  const auto engine = open_engine(hand);
  ASSERT_NE(engine, nullptr);
  EXPECT_EQ(engine->counts().erased, 1u);
  expect_whole(*engine);
}

// One workspace with an archive, and what is said of a restore that cannot be.
class RestoreRefuses : public testing::Test {
 protected:
  void SetUp() override {
    const auto engine = open_engine(folder_.workspace());
    live(*engine, 10);
    ASSERT_TRUE(engine->checkpoint().ok());
    fs::copy_file(keys_, old_keys_);
    live(*engine, 10, "q");
    ASSERT_TRUE(engine->backup(archive_).ok());
  }
  Error refusal(const std::string& archive, const std::string& keys) {
    const auto report = restore_workspace(archive, keys, folder_.path("new"));
    EXPECT_FALSE(report.ok());
    EXPECT_FALSE(fs::exists(folder_.path("new"))) << "half a workspace is left";
    EXPECT_FALSE(fs::exists(folder_.path("new.part")));
    return report.ok() ? Error{} : report.error();
  }
  const TempFolder folder_;
  const std::string archive_ = folder_.path("b.tar"), keys_ = folder_.workspace() + "/keys";
  const std::string old_keys_ = folder_.path("old-keys");
};

TEST_F(RestoreRefuses, ADamagedArchiveByTheFileInside) {
  std::string bytes = bytes_of(archive_);
  const auto state = bytes.find("SQLite format 3");
  ASSERT_NE(state, std::string::npos);
  bytes[state + 5000] = static_cast<char>(bytes[state + 5000] ^ 1);
  write(archive_, bytes);
  const Error error = refusal(archive_, keys_);
  EXPECT_EQ(error.code, Code::kCorrupt);
  EXPECT_EQ(error.message,
            "archive " + archive_ + " is damaged: state.db is not as its manifest says");
}

TEST_F(RestoreRefuses, AnArchiveThatIsCutShort) {
  const std::string bytes = bytes_of(archive_);
  write(archive_, bytes.substr(0, bytes.size() / 2));
  EXPECT_EQ(refusal(archive_, keys_).code, Code::kCorrupt);
  write(archive_, bytes.substr(0, bytes.rfind("manifest.json")));
  EXPECT_EQ(refusal(archive_, keys_).code, Code::kCorrupt);
}

TEST_F(RestoreRefuses, WhatIsNoArchive) {
  write(folder_.path("text.tar"), "this is no archive");
  EXPECT_NE(refusal(folder_.path("text.tar"), keys_).message.find("text.tar is damaged"),
            std::string::npos);
  EXPECT_EQ(refusal(folder_.path("absent.tar"), keys_).code, Code::kNotFound);
}

TEST_F(RestoreRefuses, AKeyFileOlderThanTheArchive) {
  const Error error = refusal(archive_, old_keys_);
  EXPECT_EQ(error.code, Code::kInvalid);
  EXPECT_NE(error.message.find("is older than the archive"), std::string::npos) << error.message;
  EXPECT_EQ(error.hint, "name the newest copy of the key file");
}

TEST_F(RestoreRefuses, TheKeyFileOfAnotherWorkspace) {
  { live(*open_engine(folder_.path("other")), 30); }
  const Error error = refusal(archive_, folder_.path("other/keys"));
  EXPECT_NE(error.message.find("is of another workspace"), std::string::npos) << error.message;
  EXPECT_EQ(refusal(archive_, folder_.path("none")).code, Code::kNotFound);
}

TEST_F(RestoreRefuses, AFolderThatIsNotEmpty) {
  const auto report = restore_workspace(archive_, keys_, folder_.workspace());
  ASSERT_FALSE(report.ok());
  EXPECT_EQ(report.error().code, Code::kConflict);
  EXPECT_EQ(report.error().message, folder_.workspace() + " is not empty");
}

TEST(Archive, RefusesNamesItDoesNotKnow) {
  const auto archive = create_archive("backup.zip", begin_time());
  ASSERT_FALSE(archive.ok());
  EXPECT_EQ(archive.error().message, "backup.zip is not the name of an archive");
}

}  // namespace
}  // namespace attune
