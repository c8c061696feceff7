#include "base/log.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

namespace attune {
namespace {

namespace fs = std::filesystem;

struct LogTest : testing::Test {
  LogTest() {
    folder = fs::temp_directory_path() / "attune-log-XXXXXX";
    CHECK(::mkdtemp(folder.data()) != nullptr);
  }
  ~LogTest() override { fs::remove_all(folder); }
  std::string read(const std::string& name) {
    std::ifstream in(folder + "/" + name);
    return {std::istreambuf_iterator<char>(in), {}};
  }
  std::unique_ptr<Log> open(LogOptions options) {
    options.file = folder + "/log";
    auto log = Log::open(options, [] { return Time{}; });
    CHECK(log.ok());
    return std::move(log).value();
  }
  std::string folder;
};

TEST_F(LogTest, WritesOneLinePerEvent) {
  const auto log = open({});
  log->write(LogLevel::kInfo, "server_started", {{"port", 80}, {"note", "two words"}});
  log->write(LogLevel::kDebug, "unseen");
  EXPECT_EQ(read("log"),
            "1970-01-01T00:00:00.000Z info server_started port=80 note=\"two words\"\n");
}

TEST_F(LogTest, APartOfItNamesItself) {
  const auto log = open({});
  Log shop(*log, "workspace", "shop");
  shop.write(LogLevel::kWarn, "disk_full", {{"used_share", 1}});
  shop.write(LogLevel::kDebug, "unseen");
  EXPECT_EQ(read("log"), "1970-01-01T00:00:00.000Z warn disk_full used_share=1 workspace=shop\n");
}

TEST_F(LogTest, AValueCannotStartALineOfItsOwn) {
  const std::string line = log_line(Time{}, LogLevel::kWarn, "x", {{"a", "b\nerror c=d"}});
  EXPECT_EQ(line.find('\n'), std::string::npos);
}

TEST_F(LogTest, KeepsSoManyOldFilesOfSuchASize) {
  LogOptions options;
  options.max_bytes = 100;
  options.keep = 2;
  const auto log = open(options);
  for (int i = 0; i < 20; ++i) log->write(LogLevel::kInfo, "tick", {{"number", i}});
  EXPECT_NE(read("log").find("number=19"), std::string::npos);
  EXPECT_TRUE(fs::exists(folder + "/log.2"));
  EXPECT_FALSE(fs::exists(folder + "/log.3"));
  EXPECT_LE(fs::file_size(folder + "/log.1"), 100u);
}

TEST_F(LogTest, RefusesALevelItDoesNotKnow) {
  LogOptions options;
  options.level = "loud";
  const auto log = Log::open(options, [] { return Time{}; });
  ASSERT_FALSE(log.ok());
  EXPECT_EQ(log.error().field, "log.level");
}

}  // namespace
}  // namespace attune
