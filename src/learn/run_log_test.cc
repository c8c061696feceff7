#include "learn/run_log.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <thread>

namespace attune {
namespace {

struct RunLogTest : testing::Test {
  RunLogTest() {
    std::string name = (std::filesystem::temp_directory_path() / "attune-runs-XXXXXX").string();
    CHECK(::mkdtemp(name.data()) != nullptr);
    folder = name;
  }
  ~RunLogTest() override { std::filesystem::remove_all(folder); }
  std::string folder;
};

Run run(const std::string& time, const std::string& alpha, double auc) {
  Run r{.id = {},
        .time = time,
        .version = "0.1.0",
        .file = "a \"b\".csv",
        .data_hash = "00ff",
        .kind = "ftrl",
        .model_id = "m_1",
        .output = "x.attune",
        .seconds = 1.5,
        .parameters = {{"kind", "ftrl"}, {"alpha", alpha}},
        .metrics = {{"auc", auc}}};
  r.id = run_id(r);
  return r;
}

TEST_F(RunLogTest, WhatIsAppendedIsReadBack) {
  EXPECT_EQ(read_runs(folder).error().code, Code::kNotFound);
  const auto first = run("2026-01-01T00:00:00Z", "0.1", 0.7),
             second = run("2026-01-02T00:00:00Z", "0.2", 0.8);
  ASSERT_TRUE(append_run(folder + "/deep/er", first).ok());
  ASSERT_TRUE(append_run(folder + "/deep/er", second).ok());
  const auto list = read_runs(folder + "/deep/er");
  ASSERT_TRUE(list.ok()) << list.error().message;
  ASSERT_EQ(list->runs.size(), 2u);
  EXPECT_EQ(list->bad_lines, 0u);
  EXPECT_EQ(run_json(list->runs[0]), run_json(first));
  EXPECT_EQ(list->runs[0].file, "a \"b\".csv");
  EXPECT_EQ(find_run(*list, "latest")->id, second.id);
  EXPECT_EQ(find_run(*list, first.id.substr(0, 8))->id, first.id);
  EXPECT_EQ(find_run(*list, "r_").error().code, Code::kInvalid);
  EXPECT_EQ(find_run(*list, "x").error().code, Code::kNotFound);
}

// A crash may cut a line short; the next one begins a line of its own.
TEST_F(RunLogTest, ACutLineCostsItselfAlone) {
  ASSERT_TRUE(append_run(folder, run("1", "0.1", 0.7)).ok());
  std::ofstream(folder + "/runs.jsonl", std::ios::app) << "{\"id\":\"r_1\",\"ti";
  ASSERT_TRUE(append_run(folder, run("2", "0.1", 0.7)).ok());
  const auto list = read_runs(folder);
  ASSERT_TRUE(list.ok());
  EXPECT_EQ(list->runs.size(), 2u);
  EXPECT_EQ(list->bad_lines, 1u);
}

TEST_F(RunLogTest, TrainingsMayShareIt) {
  std::vector<std::jthread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([this, t] {
      for (int i = 0; i < 25; ++i) {
        ASSERT_TRUE(append_run(folder, run(std::to_string(100 * t + i), "0.1", 0.5)).ok());
      }
    });
  }
  threads.clear();
  const auto list = read_runs(folder);
  ASSERT_TRUE(list.ok());
  EXPECT_EQ(list->runs.size(), 100u);
  EXPECT_EQ(list->bad_lines, 0u);
}

TEST_F(RunLogTest, ComparesWhatDiffers) {
  auto with = run("2", "0.2", 0.8);
  with.metrics.emplace_back("ece", 0.01);
  const RunComparison out = compare_runs({run("1", "0.1", 0.7), with});
  ASSERT_EQ(out.parameters.size(), 1u);  // kind, file, hash and version are the same
  EXPECT_EQ(out.parameters[0].name, "alpha");
  EXPECT_EQ(out.parameters[0].values, (std::vector<std::string>{"0.1", "0.2"}));
  ASSERT_EQ(out.metrics.size(), 2u);
  EXPECT_EQ(out.metrics[1].values, (std::vector<std::string>{"", "0.01"}));
}

}  // namespace
}  // namespace attune
