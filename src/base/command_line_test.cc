#include "base/command_line.h"

#include <gtest/gtest.h>

#include <cstdint>

namespace attune {
namespace {

struct Given {
  std::string file;
  std::vector<std::string> kinds;
  std::uint64_t rows = 7;
  bool is_json = false;
};

// tool learn FILE --kind a,b --rows N --json
struct Tool {
  Command program{"a tool"};
  Given given;
  Command* learn = program.add_subcommand("learn", "learns");

  Tool() {
    program.require_subcommand(1);
    learn->add_option("file", given.file, "of rows");
    learn->add_option("--kind", given.kinds, "of model")
        ->delimiter(',')
        ->check(one_of({"ftrl", "fm"}));
    learn->add_option("--rows", given.rows, "at most")->check(range(1, 9));
    learn->add_flag("--json", given.is_json, "as JSON");
  }
  std::optional<int> parse(std::vector<const char*> words) {
    words.insert(words.begin(), "tool");
    return program.parse(static_cast<int>(words.size()), words.data());
  }
  std::string error(const std::vector<const char*>& words) {
    testing::internal::CaptureStderr();
    const auto code = parse(words);
    const std::string said = testing::internal::GetCapturedStderr();
    EXPECT_NE(code.value_or(0), 0);
    return said.substr(0, said.find('\n'));
  }
};

TEST(CommandLine, FillsVariablesAndSaysWhatWasGiven) {
  Tool tool;
  EXPECT_EQ(tool.parse({"learn", "a.csv", "--kind", "fm,ftrl", "--json"}), std::nullopt);
  EXPECT_EQ(tool.given.file, "a.csv");
  EXPECT_EQ(tool.given.kinds, (std::vector<std::string>{"fm", "ftrl"}));
  EXPECT_EQ(tool.given.rows, 7u);
  EXPECT_TRUE(tool.given.is_json);
  EXPECT_TRUE(tool.learn->parsed());
  EXPECT_TRUE(tool.program.has_parsed_subcommand());
  EXPECT_FALSE(tool.learn->has_parsed_subcommand());
  const auto given = tool.learn->given();
  ASSERT_EQ(given.size(), 2u);  // not the file, which has no name
  EXPECT_EQ(given[0].name, "kind");
  EXPECT_EQ(given[0].values, tool.given.kinds);
  EXPECT_EQ(given[1].name, "json");
}

TEST(CommandLine, SaysWhatAValueMustBe) {
  EXPECT_EQ(Tool().error({"learn", "--rows", "10"}), "--rows: Value 10 not in range 1 to 9");
  EXPECT_EQ(Tool().error({"learn", "--rows", "1.5"}), "--rows: Value 1.5 not in range 1 to 9");
  EXPECT_EQ(Tool().error({"learn", "--kind", "fm,mlp"}), "--kind: mlp not in {ftrl,fm}");
}

TEST(CommandLine, AsksForACommand) { EXPECT_EQ(Tool().error({}), "A subcommand is required"); }

TEST(CommandLine, CallsBackOnlyTheCommandThatWasNamed) {
  Tool tool;
  int learned = 0, forgotten = 0;
  tool.learn->callback([&] { ++learned; });
  tool.program.add_subcommand("forget", "forgets")->callback([&] { ++forgotten; });
  EXPECT_EQ(tool.parse({"learn"}), std::nullopt);
  EXPECT_EQ(learned, 1);
  EXPECT_EQ(forgotten, 0);
}

TEST(CommandLine, EndsWellAfterHelp) {
  testing::internal::CaptureStdout();
  EXPECT_EQ(Tool().parse({"learn", "--help"}), 0);
  EXPECT_NE(testing::internal::GetCapturedStdout().find("INT in [1 - 9]"), std::string::npos);
}

}  // namespace
}  // namespace attune
