#include "engine/examine.h"

#include <fstream>

#include "engine/test_workspace.h"

namespace attune {
namespace {

namespace fs = std::filesystem;

struct ExamineTest : testing::Test {
  ExamineTest() {
    const auto engine = open_engine(folder.workspace());
    CHECK(ingest(*engine, {click("ann", "i1", begin_time(), "m1")}).ok());
    CHECK(engine->tick(begin_time()).ok() && engine->checkpoint().ok());
    CHECK(engine->close().ok());
  }
  // The finding of that check that is not well, or an OK one.
  Finding find(const std::string& check, Time now = begin_time()) const {
    Finding found{.check = "", .says = ""};
    for (const Finding& f : examine(folder.workspace(), now).findings) {
      if (f.check == check && (found.check.empty() || f.health != Health::kOk)) found = f;
    }
    return found;
  }
  TempFolder folder;
};

TEST_F(ExamineTest, FindsNothingWrongAndChangesNothing) {
  const auto size = [&] {
    return fs::file_size(folder.workspace() + "/journal/00000000000000000001.log");
  };
  const auto before = size();
  for (const Finding& f : examine(folder.workspace(), begin_time()).findings) {
    EXPECT_EQ(f.health, Health::kOk) << f.check << " " << f.says;
  }
  EXPECT_EQ(size(), before);
}

TEST_F(ExamineTest, NamesWhoUsesIt) {
  EXPECT_EQ(examine(folder.workspace(), begin_time()).holder, "");
  const auto engine = open_engine(folder.workspace());
  EXPECT_EQ(examine(folder.workspace(), begin_time()).holder, std::to_string(::getpid()));
}

TEST_F(ExamineTest, WarnsOfAClockBehindTheNewestRecord) {
  const Finding clock = find("clock", begin_time() - std::chrono::hours(3));
  EXPECT_EQ(clock.health, Health::kWarn);
  EXPECT_NE(clock.says.find("2025-12-31T21:00:00"), std::string::npos) << clock.says;
}

TEST_F(ExamineTest, FailsAStoreAheadOfItsJournal) {
  fs::remove(folder.workspace() + "/journal/00000000000000000001.log");
  const auto other = folder.path("other");
  { (void)open_engine(other); }
  fs::copy(other + "/journal/00000000000000000001.log", folder.workspace() + "/journal/");
  const Finding store = find("state.db");
  EXPECT_EQ(store.health, Health::kFail);
  EXPECT_NE(store.says.find("log files are missing"), std::string::npos) << store.says;
}

TEST_F(ExamineTest, FailsKeysThatOthersMayRead) {
  fs::permissions(folder.workspace() + "/keys", fs::perms::others_read, fs::perm_options::add);
  EXPECT_EQ(find("keys").fix, "chmod 600 " + folder.workspace() + "/keys");
}

}  // namespace
}  // namespace attune
