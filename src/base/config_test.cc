#include "base/config.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdio>
#include <filesystem>
#include <fstream>

#include "base/nearest.h"

namespace attune {
namespace {

struct Options {
  int threads = 1;
  double epsilon = 0.05;
  bool is_on = true;
  std::string level = "info";
  std::uint64_t memory_bytes = 0;
  Duration past = seconds(60);
  std::vector<std::string> purposes = {"analytics"};
  ConfigTable verbs;
};

struct ConfigTest : testing::Test {
  ConfigTest() {
    path = std::filesystem::temp_directory_path() / "attune-config-XXXXXX";
    ::close(::mkstemp(path.data()));
    config.number("server.threads", options.threads, {1, 64}, "", "HTTP threads.");
    config.number("decide.epsilon", options.epsilon, {0, 1}, "", "Share explored.");
    config.flag("server.is_on", options.is_on, "On.");
    config.choice("log.level", options.level, {"info", "warn"}, "Least level written.");
    config.number("engine.memory_bytes", options.memory_bytes, {0, 1e15}, "bytes", "Limit.");
    config.number("collect.max_past_s", options.past, {0, 1e9}, "s", "Oldest event.");
    config.list("consent.default", options.purposes, {"analytics", "advertising"}, "Granted.");
    config.table("collect.verbs", options.verbs, {"click", "view"}, "Own event names.");
  }
  ~ConfigTest() override { std::filesystem::remove(path); }
  Status load(const std::string& text) {
    std::ofstream(path) << text;
    return config.load_file(path);
  }
  std::string path;
  Options options;
  Config config;
};

TEST_F(ConfigTest, FlagWinsOverEnvironmentOverFileOverDefault) {
  ASSERT_TRUE(load("[server]\nthreads = 2\n[decide]\nepsilon = 0.2\n").ok());
  EXPECT_EQ(options.threads, 2);
  const char* const variables[] = {"HOME=/", "ATTUNE__SERVER__THREADS=3", nullptr};
  ASSERT_TRUE(config.load_environment(variables).ok());
  EXPECT_EQ(options.threads, 3);
  ASSERT_TRUE(config.set("server.threads", std::string("4"), "--threads").ok());
  EXPECT_EQ(options.threads, 4);
  EXPECT_EQ(options.epsilon, 0.2);
  EXPECT_EQ(config.find("decide.epsilon")->source, path + " line 4");
  EXPECT_TRUE(config.is_default("log.level"));
}

TEST_F(ConfigTest, ReadsEveryKindOfValue) {
  const Status done = load(
      "[server]\nis_on = false\n[log]\nlevel = \"warn\"\n[engine]\nmemory_bytes = \"512M\"\n"
      "[collect]\nmax_past_s = 1.5\n[collect.verbs]\n\"Lead Captured\" = \"click\"\n"
      "[consent]\ndefault = [\"advertising\"]\n");
  ASSERT_TRUE(done.ok()) << done.error().message;
  EXPECT_FALSE(options.is_on);
  EXPECT_EQ(options.level, "warn");
  EXPECT_EQ(options.memory_bytes, 512u << 20);
  EXPECT_EQ(options.past, seconds(1.5));
  EXPECT_EQ(options.verbs.at("Lead Captured"), "click");
  EXPECT_EQ(options.purposes, std::vector<std::string>{"advertising"});
}

TEST_F(ConfigTest, SaysLineAndRemedy) {
  struct Case {
    const char *text, *says, *hint;
  };
  const Case cases[] = {
      {"[server]\n\nthread = 2\n", " line 3: unknown key server.thread", "server.threads"},
      {"[decide]\nepsilon = 1.5\n", " line 2: decide.epsilon is 1.5, must be in [0, 1]", "explain"},
      {"[server]\nthreads = 1.5\n", "server.threads is 1.5, must be a whole number", "explain"},
      {"[server]\nthreads = true\n", "server.threads is true, must be a number", "explain"},
      {"[log]\nlevel = \"loud\"\n", "is \"loud\", must be one of info, warn", "explain"},
      {"[engine]\nmemory_bytes = \"12Q\"\n", "must be a number of bytes such as 512M", "explain"},
      {"[consent]\ndefault = [\"all\"]\n", "must be one of analytics, advertising", "explain"},
      {"[server]\nthreads = \n", " line 2: not valid TOML", ""},
  };
  for (const Case& c : cases) {
    const Status done = load(c.text);
    ASSERT_FALSE(done.ok()) << c.text;
    EXPECT_NE(done.error().message.find(c.says), std::string::npos) << done.error().message;
    EXPECT_NE(done.error().hint.find(c.hint), std::string::npos) << done.error().hint;
    EXPECT_EQ(done.error().code, Code::kInvalid);
  }
}

TEST_F(ConfigTest, PrintsWhatItReads) {
  ASSERT_TRUE(load("[server]\nthreads = 7\n").ok());
  const std::string printed = config.print_toml();
  EXPECT_NE(printed.find("threads = 7  # " + path + " line 2"), std::string::npos) << printed;
  options.threads = 1;
  ASSERT_TRUE(load(printed).ok());
  EXPECT_EQ(options.threads, 7);
}

TEST_F(ConfigTest, PrintsJsonOfWhatHolds) {
  ASSERT_TRUE(load("[collect.verbs]\nlead = \"click\"\n").ok());
  const std::string values = config.values_json();
  EXPECT_NE(values.find(R"("collect.verbs":{"lead":"click"})"), std::string::npos) << values;
  EXPECT_NE(values.find(R"("consent.default":["analytics"],"decide.epsilon":0.05)"),
            std::string::npos)
      << values;
  EXPECT_NE(config.print_json().find(R"("server.threads":{"value":1,"source":"default"})"),
            std::string::npos);
}

TEST_F(ConfigTest, ExplainsAKeyOrNamesTheNearest) {
  const auto said = config.explain("collect.max_past_s");
  ASSERT_TRUE(said.ok());
  EXPECT_NE(said->find("environment: ATTUNE__COLLECT__MAX_PAST_S"), std::string::npos) << *said;
  EXPECT_EQ(config.explain("collect.max_pest_s").error().hint, "did you mean collect.max_past_s?");
}

enum class Tide { kEbb, kFlood };

TEST_F(ConfigTest, AChoiceMayBeAnEnumeration) {
  Tide tide = Tide::kEbb;
  Config sea;
  sea.choice("sea.tide", tide, {"ebb", "flood"}, "Which way it runs.");
  ASSERT_TRUE(sea.set("sea.tide", std::string("flood"), "--tide").ok());
  EXPECT_EQ(tide, Tide::kFlood);
  EXPECT_FALSE(sea.set("sea.tide", std::string("slack"), "--tide").ok());
}

TEST_F(ConfigTest, RefusesAFileThatIsNotThere) {
  const Status done = config.load_file("/nowhere/attune.toml");
  ASSERT_FALSE(done.ok());
  EXPECT_NE(done.error().message.find("/nowhere/attune.toml"), std::string::npos);
}

TEST(Nearest, FindsTheWordMeantOrNone) {
  EXPECT_EQ(edit_distance("kitten", "sitting"), 3u);
  EXPECT_EQ(nearest("serv", {"start", "serve", "replay"}), "serve");
  EXPECT_EQ(nearest("xyzzy", {"start", "serve", "replay"}), "");
}

}  // namespace
}  // namespace attune
