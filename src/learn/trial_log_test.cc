#include "learn/trial_log.h"

#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>
#include <fstream>
#include <iterator>

namespace attune {
namespace {

class TrialLogTest : public ::testing::Test {
 protected:
  void SetUp() override {
    path_ = ::testing::TempDir() + "/trials-" +
            ::testing::UnitTest::GetInstance()->current_test_info()->name();
    std::filesystem::remove(path_);
  }
  std::string text() const {
    std::ifstream in(path_, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
  }
  void write(const std::string& text) const { std::ofstream(path_, std::ios::binary) << text; }
  Result<TrialLog> open(const std::string& data = "d", const std::string& options = "seed 1") {
    return TrialLog::open(path_, {data, options});
  }
  void add_three() {
    auto log = open();
    ASSERT_TRUE(log.ok());
    for (const double l2 : {1.0, 2.0, 0.1}) ASSERT_TRUE(log->add(trial(l2)).ok());
  }
  static SearchTrial trial(double l2) {
    SearchTrial out;
    out.search = 0xfedcba9876543210;
    out.kind = "fm";
    out.settings = {{"l2", l2}, {"k", 8}};
    out.rows = 500;
    out.passes = 3;
    out.loss = l2 / 3;
    out.interval = Interval{0.1, 1.0 / 7};
    out.seconds = l2;
    out.losses = {0.1F, 1e-30F, INFINITY};
    return out;
  }

  std::string path_;
};

TEST_F(TrialLogTest, KeepsEveryBitOfATrial) {
  add_three();
  const auto log = open();
  ASSERT_TRUE(log.ok());
  EXPECT_EQ(log->known(), 3u);
  const SearchTrial* const found = log->find(trial(0.1));
  ASSERT_NE(found, nullptr);
  EXPECT_EQ(found->loss, 0.1 / 3);
  EXPECT_EQ(found->seconds, 0.1);
  EXPECT_EQ(found->interval->high, 1.0 / 7);
  EXPECT_EQ(found->losses, trial(0.1).losses);
  SearchTrial other = trial(0.1);
  other.rows = 501;
  EXPECT_EQ(log->find(other), nullptr);
}

TEST_F(TrialLogTest, WhereverItIsCutTheWholeLinesAreKept) {
  add_three();
  const std::string all = text();
  for (std::size_t size = 0; size < all.size(); ++size) {
    write(all.substr(0, size));
    auto log = open();
    ASSERT_TRUE(log.ok()) << size << ": " << log.error().message;
    const auto lines =
        std::count(all.begin(), all.begin() + static_cast<std::ptrdiff_t>(size), '\n');
    ASSERT_EQ(log->known(), static_cast<std::size_t>(std::max<std::ptrdiff_t>(lines, 1) - 1));
    for (const double l2 : {1.0, 2.0, 0.1}) {
      if (log->find(trial(l2)) != nullptr) continue;
      ASSERT_TRUE(log->add(trial(l2)).ok());
    }
    ASSERT_EQ(text(), all);
  }
}

TEST_F(TrialLogTest, RefusesOtherDataOtherOptionsAndWhatItDidNotMake) {
  add_three();
  EXPECT_NE(open("e").error().message.find("over other data"), std::string::npos);
  const std::string said = open("d", "seed 2").error().message;
  EXPECT_NE(said.find("with other options: seed 1; this one: seed 2"), std::string::npos) << said;
  for (const std::string foreign : {"a,b\n1,2\n", "precious", "{}\n"}) {
    write(foreign);
    EXPECT_NE(open().error().message.find("is no file of a search"), std::string::npos);
    EXPECT_EQ(text(), foreign);
  }
}

TEST_F(TrialLogTest, ADamagedLineIsNamed) {
  add_three();
  std::string all = text();
  all[all.find('\n', all.find('\n') + 1) - 40] ^= 1;
  write(all);
  const auto log = open();
  ASSERT_FALSE(log.ok());
  EXPECT_EQ(log.error().code, Code::kCorrupt);
  EXPECT_NE(log.error().message.find("line 2"), std::string::npos) << log.error().message;
}

TEST_F(TrialLogTest, IsOfOneSearchAtATime) {
  const auto first = open();
  ASSERT_TRUE(first.ok());
  EXPECT_EQ(open().error().code, Code::kConflict);
}

}  // namespace
}  // namespace attune
