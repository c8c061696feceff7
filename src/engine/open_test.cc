// What cannot be opened says what is wrong, where, and what to do.
#include <sqlite3.h>

#include <fstream>

#include "engine/test_workspace.h"

namespace attune {
namespace {

namespace fs = std::filesystem;

class Open : public testing::Test {
 protected:
  // A few log files, a checkpoint, then some more.
  void SetUp() override {
    options_.log_file_bytes = 2048;
    const auto engine = open_engine(options_);
    live(*engine, 0);
    ASSERT_TRUE(engine->checkpoint().ok());
    live(*engine, 100);
    before_ = hashes_of(*engine);
  }
  void live(Engine& engine, int first) {
    ASSERT_TRUE(engine.control(items(9)).ok());
    for (int i = first; i < first + 100;) {
      std::vector<Event> batch;
      for (int k = 0; k < 10; ++k, ++i) {
        const std::string n = std::to_string(i);
        batch.push_back(click("p" + n, "i1", begin_time() + seconds(i * 60), n));
      }
      ASSERT_TRUE(ingest(engine, std::move(batch)).ok());
    }
  }
  Error refusal() {
    const auto engine = Engine::open(options_);
    EXPECT_FALSE(engine.ok());
    return engine.ok() ? Error{} : engine.error();
  }
  std::vector<std::string> log_files() {
    std::vector<std::string> out;
    for (const auto& file : fs::directory_iterator(folder_.workspace() + "/journal")) {
      if (file.path().extension() == ".log") out.push_back(file.path());
    }
    std::sort(out.begin(), out.end());
    EXPECT_GT(out.size(), 4u);
    return out;
  }
  std::string path(const std::string& name) const { return folder_.workspace() + "/" + name; }

  const TempFolder folder_;
  EngineOptions options_ = still_options(folder_.workspace());
  std::vector<FoldHash> before_;
};

TEST_F(Open, ASecondProcessIsToldOfTheFirst) {
  const auto first = open_engine(options_);
  const Error error = refusal();
  EXPECT_EQ(error.code, Code::kConflict);
  EXPECT_TRUE(error.message.starts_with("workspace " + folder_.workspace() +
                                        " is in use by another process"))
      << error.message;
  EXPECT_EQ(error.hint, "stop the other process, or give this one a workspace of its own");
}

TEST_F(Open, WithoutTheKeyFileNothingIsRead) {
  fs::remove(path("keys"));
  const Error error = refusal();
  EXPECT_EQ(error.code, Code::kNotFound);
  EXPECT_EQ(error.message,
            "there is no key file " + path("keys") + ": without it nothing can be read");
  EXPECT_EQ(error.hint, "put the key file there, from a backup if it is lost");
  EXPECT_FALSE(fs::exists(path("keys"))) << "no new one is made in its place";
}

TEST_F(Open, ANewerStateIsRefusedNamingBothFormats) {
  sqlite3* database = nullptr;
  ASSERT_EQ(sqlite3_open(path("state.db").c_str(), &database), SQLITE_OK);
  ASSERT_EQ(sqlite3_exec(database, "PRAGMA user_version = 99", nullptr, nullptr, nullptr),
            SQLITE_OK);
  sqlite3_close(database);
  const Error error = refusal();
  EXPECT_EQ(error.code, Code::kInvalid);
  EXPECT_TRUE(error.message.starts_with(path("state.db") +
                                        " has store format 99; this program reads up to format "))
      << error.message;
  EXPECT_EQ(error.hint, "start a newer version of attune");
}

TEST_F(Open, ADamagedStateIsNamedAndMayBeRemoved) {
  for (const char* side : {"state.db-wal", "state.db-shm"}) fs::remove(path(side));
  std::ofstream(path("state.db"), std::ios::binary | std::ios::trunc) << "not a database at all";
  const Error error = refusal();
  EXPECT_EQ(error.code, Code::kCorrupt);
  EXPECT_NE(error.message.find(path("state.db") + " is damaged"), std::string::npos);
  EXPECT_NE(error.hint.find("remove it to rebuild it"), std::string::npos);
  fs::remove(path("state.db"));
  expect_equal(hashes_of(*open_engine(options_)), before_);
}

TEST_F(Open, ALostStateBeginsAtTheBase) {
  options_.retention_s = 3600;
  {
    const auto engine = open_engine(options_);
    ASSERT_GT(*engine->retain(), 0u);  // a base, and a journal that does not tell all
    ASSERT_TRUE(engine->erase(IdType::kUser, "p7").ok());
    ASSERT_TRUE(ingest(*engine, {click("p1", "i2", begin_time(), "later")}).ok());
    ASSERT_TRUE(engine->tick(engine->now()).ok());
    before_ = hashes_of(*engine);
  }
  for (const char* side : {"", "-wal", "-shm"}) fs::remove(path("state.db") + side);
  const auto engine = open_engine(options_);
  ASSERT_NE(engine, nullptr);
  expect_equal(hashes_of(*engine), before_);
  EXPECT_TRUE(engine->verify(2)->is_equal);
}

TEST_F(Open, MissingLogFilesAreNamed) {
  const auto files = log_files();
  for (std::size_t i = 1; i < files.size(); ++i) fs::remove(files[i]);  // the newest are lost
  const Error newest = refusal();
  EXPECT_EQ(newest.code, Code::kCorrupt);
  EXPECT_NE(newest.message.find("but the journal ends at"), std::string::npos) << newest.message;
  EXPECT_NE(newest.message.find("log files are missing"), std::string::npos);
  EXPECT_EQ(newest.hint, "restore the workspace from a backup");
}

TEST_F(Open, ALogFileMissingInBetweenIsNamed) {
  const auto files = log_files();
  for (const char* side : {"", "-wal", "-shm"}) fs::remove(path("state.db") + side);
  fs::remove(files[files.size() / 2]);
  const Error error = refusal();
  EXPECT_EQ(error.code, Code::kCorrupt);
  EXPECT_NE(error.message.find(files[files.size() / 2 + 1]), std::string::npos) << error.message;
  EXPECT_NE(error.message.find("it should begin with record"), std::string::npos);
  EXPECT_NE(error.hint.find("backup"), std::string::npos);
}

TEST_F(Open, OldLogFilesMissingBeforeTheStateAreNamed) {
  const auto files = log_files();
  for (const char* side : {"", "-wal", "-shm"}) fs::remove(path("state.db") + side);
  fs::remove(files[0]);
  const Error error = refusal();
  EXPECT_EQ(error.code, Code::kCorrupt);
  EXPECT_NE(error.message.find("the journal begins at"), std::string::npos) << error.message;
}

// Settings are part of what a replay must know: a changed default applies from its start on.
TEST_F(Open, AChangedConsentDefaultAppliesFromItsStartOn) {
  options_.denied_by_default = static_cast<std::uint8_t>(Purpose::kPersonalization);
  {
    const auto engine = open_engine(options_);
    ASSERT_TRUE(ingest(*engine, {click("late", "i2", begin_time(), "late")}).ok());
  }  // no checkpoint: the next start replays it
  options_.denied_by_default = std::uint8_t{0};
  const auto engine = open_engine(options_);
  EXPECT_NE(engine->profile_of(IdType::kUser, "late")->denied_purposes, 0);
  EXPECT_EQ(engine->profile_of(IdType::kUser, "p1")->denied_purposes, 0);
  EXPECT_TRUE(engine->verify(7)->is_equal);
}

TEST_F(Open, ALookKeepsTheClockOfTheWorkspace) {
  EngineOptions look;
  look.workspace = folder_.workspace();
  look.is_ticking = false;
  Time before{};
  { before = open_engine(options_)->now(); }
  const auto engine = open_engine(look);
  EXPECT_EQ(engine->now(), before) << "an event clock does not turn into the wall's";
}

}  // namespace
}  // namespace attune
