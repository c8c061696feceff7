#include "journal/id_window.h"

#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <sstream>
#include <thread>

#include "base/bytes.h"
#include "base/hash.h"

namespace attune {
namespace {

namespace fs = std::filesystem;

constexpr std::int64_t kHour = 3'600'000'000;

std::uint64_t id(std::uint64_t n) { return mix64(n, 1) | 1; }
Time at(std::int64_t hours) { return time_from_us(1'700'000'000'000'000 + hours * kHour); }

class IdWindowTest : public testing::Test {
 protected:
  IdWindowTest() {
    char name[] = "/tmp/attune_ids_XXXXXX";
    options_.directory = std::string(::mkdtemp(name)) + "/ids";
  }
  ~IdWindowTest() override { fs::remove_all(fs::path(options_.directory).parent_path()); }
  std::unique_ptr<IdWindow> open() {
    auto window = IdWindow::open(options_);
    EXPECT_TRUE(window.ok()) << (window.ok() ? "" : window.error().message);
    return window.ok() ? std::move(window).value() : nullptr;
  }
  // Ids from..to received at this hour, written.
  static void add(IdWindow& window, std::uint64_t from, std::uint64_t to, std::int64_t hour) {
    for (std::uint64_t n = from; n <= to; ++n) window.insert(id(n), at(hour));
    ASSERT_TRUE(window.checkpoint(to).ok());
  }
  std::vector<std::string> files() const {
    std::vector<std::string> paths;
    for (const auto& entry : fs::directory_iterator(options_.directory)) {
      paths.push_back(entry.path().string());
    }
    std::sort(paths.begin(), paths.end());
    return paths;
  }
  static std::string slurp(const std::string& path) {
    std::ifstream in(path, std::ios::binary);
    std::ostringstream out;
    out << in.rdbuf();
    return out.str();
  }
  static void spit(const std::string& path, std::string_view bytes) {
    std::ofstream(path, std::ios::binary).write(bytes.data(), std::streamsize(bytes.size()));
  }
  IdWindowOptions options_;
};

TEST_F(IdWindowTest, RemembersAcrossCheckpointsAndRestarts) {
  auto window = open();
  EXPECT_EQ(window->through(), 0u);
  EXPECT_FALSE(window->contains(id(1)));
  // Sizes around the padding of the ids.
  std::uint64_t next = 1;
  for (const std::uint64_t count : {1u, 7u, 8u, 9u, 16u, 23u, 24u, 1000u}) {
    add(*window, next, next + count - 1, 0);
    next += count;
  }
  for (std::uint64_t n = next; n < next + 5; ++n) window->insert(id(n), at(1));
  for (std::uint64_t n = 1; n < next + 5; ++n) ASSERT_TRUE(window->contains(id(n))) << n;
  EXPECT_EQ(window->size(), next + 4);
  window = open();  // what was not written is gone
  EXPECT_EQ(window->through(), next - 1);
  EXPECT_EQ(window->size(), next - 1);
  for (std::uint64_t n = 1; n < next + 20'000; ++n) {
    ASSERT_EQ(window->contains(id(n)), n < next) << n;
  }
  EXPECT_TRUE(window->checkpoint(99).ok());  // nothing new: nothing written
  EXPECT_EQ(window->through(), next - 1);
}

TEST_F(IdWindowTest, MergesRunsAndLosesNone) {
  auto window = open();
  for (std::uint64_t round = 0; round < 60; ++round) {
    add(*window, 1 + round * 50, 50 + round * 50, static_cast<std::int64_t>(round));
    ASSERT_LE(window->run_count(), 12u);
    ASSERT_EQ(files().size(), window->run_count());
  }
  EXPECT_EQ(window->size(), 3000u);
  window->insert(id(10), at(60));  // the same again
  window = open();
  for (std::uint64_t n = 1; n <= 6000; ++n) ASSERT_EQ(window->contains(id(n)), n <= 3000) << n;
}

TEST_F(IdWindowTest, ForgetsAfterTheWindowButNotBefore) {
  auto window = open();
  // One id an hour, a run every six hours, for 30 days.
  for (std::uint64_t hour = 1; hour <= 720; ++hour) {
    window->insert(id(hour), at(static_cast<std::int64_t>(hour)));
    ASSERT_TRUE(hour % 6 != 0 || window->checkpoint(hour).ok());
  }
  for (std::uint64_t hour = 720 - 168; hour <= 720; ++hour) {
    ASSERT_TRUE(window->contains(id(hour))) << hour;
  }
  // A run spans a sixth of the window and little more.
  for (std::uint64_t hour = 1; hour < 720 - 168 - 2 * 28; ++hour) {
    ASSERT_FALSE(window->contains(id(hour))) << hour;
  }
}

TEST_F(IdWindowTest, KeepsTheNewestOfTooMany) {
  options_.max_ids = 1000;
  auto window = open();
  for (std::uint64_t round = 0; round < 50; ++round) {
    add(*window, 1 + round * 100, 100 + round * 100, 0);
  }
  for (std::uint64_t n = 4001; n <= 5000; ++n) ASSERT_TRUE(window->contains(id(n))) << n;
  EXPECT_FALSE(window->contains(id(1)));
  EXPECT_LE(window->size(), 2000u);
}

TEST_F(IdWindowTest, WritesOnAnotherThreadWhileIdsAreChecked) {
  auto window = open();
  for (std::uint64_t n = 1; n <= 5000; ++n) window->insert(id(n), at(0));
  auto checkpoint = window->begin_checkpoint(5000);
  ASSERT_TRUE(checkpoint);
  Status status = Error{};
  std::jthread writer([&] { status = checkpoint->write(); });
  for (std::uint64_t n = 5001; n <= 9000; ++n) {
    ASSERT_FALSE(window->contains(id(n)));
    window->insert(id(n), at(0));
    ASSERT_TRUE(window->contains(id(n - 5000)));
  }
  writer.join();
  ASSERT_TRUE(status.ok());
  window->end_checkpoint(std::move(*checkpoint));
  for (std::uint64_t n = 1; n <= 9000; ++n) ASSERT_TRUE(window->contains(id(n)));
  EXPECT_EQ(window->through(), 5000u);
  EXPECT_EQ(window->size(), 9000u);
}

TEST_F(IdWindowTest, AFailedWriteIsTriedAgain) {
  auto window = open();
  window->insert(id(1), at(0));
  fs::remove_all(options_.directory);
  const Status failed = window->checkpoint(1);
  ASSERT_FALSE(failed.ok());
  EXPECT_EQ(failed.error().code, Code::kUnavailable);
  window->insert(id(2), at(0));
  EXPECT_TRUE(window->contains(id(1)));
  fs::create_directories(options_.directory);
  ASSERT_TRUE(window->checkpoint(2).ok());
  window = open();
  EXPECT_TRUE(window->contains(id(1)));
  EXPECT_TRUE(window->contains(id(2)));
  EXPECT_EQ(window->through(), 2u);
}

TEST_F(IdWindowTest, LeftoversOfACrashAreNoHarm) {
  auto window = open();
  for (std::uint64_t n = 1; n <= 12; ++n) add(*window, n, n, 0);
  std::vector<std::pair<std::string, std::string>> before;
  for (const std::string& path : files()) before.emplace_back(path, slurp(path));
  add(*window, 13, 13, 0);
  window.reset();
  for (const auto& [path, bytes] : before) spit(path, bytes);  // merged, not yet removed
  spit(options_.directory + "/000000000014-000000000014.run.new", "half");
  window = open();
  EXPECT_EQ(window->size(), 13u);
  EXPECT_EQ(files().size(), window->run_count());
  for (std::uint64_t n = 1; n <= 13; ++n) EXPECT_TRUE(window->contains(id(n)));
}

TEST_F(IdWindowTest, RefusesDamagedMissingAndNewerRuns) {
  auto window = open();
  for (std::uint64_t n = 1; n <= 3; ++n) add(*window, n * 100, n * 100 + 40, 0);
  window.reset();
  const auto paths = files();
  ASSERT_EQ(paths.size(), 3u);
  const std::string whole = slurp(paths[1]);
  const auto refuse = [&](Code code, std::string_view hint) {
    const auto refused = IdWindow::open(options_);
    ASSERT_FALSE(refused.ok());
    EXPECT_EQ(refused.error().code, code);
    EXPECT_NE(refused.error().message.find(options_.directory), std::string::npos);
    EXPECT_NE(refused.error().hint.find(hint), std::string::npos) << refused.error().hint;
  };
  for (std::size_t i = 0; i < whole.size(); i += i < 72 ? 1 : 13) {
    if (i >= 72 && i < 128) continue;  // padding
    std::string bad = whole;
    bad[i] = static_cast<char>(bad[i] ^ 16);
    spit(paths[1], bad);
    refuse(Code::kCorrupt, "remove the folder");
  }
  for (const std::size_t size : {std::size_t{0}, std::size_t{100}, whole.size() - 1}) {
    spit(paths[1], whole.substr(0, size));
    refuse(Code::kCorrupt, "remove the folder");
  }
  std::string newer = whole;
  newer[8] = 9;
  std::string checksum;
  Writer(checksum).u64(hash64(newer.substr(0, 64)));
  newer.replace(64, 8, checksum);
  spit(paths[1], newer);
  refuse(Code::kInvalid, "newer version");
  fs::remove(paths[1]);
  refuse(Code::kCorrupt, "remove the folder");
}

TEST_F(IdWindowTest, TakesLittleMemory) {
  auto window = open();
  double worst = 0;
  for (std::uint64_t n = 1; n <= 100'000; ++n) {
    window->insert(id(n), at(0));
    if (n >= 10'000) {
      worst = std::max(worst, static_cast<double>(window->memory_bytes()) / static_cast<double>(n));
    }
  }
  EXPECT_LE(worst, 13.1);
  ASSERT_TRUE(window->checkpoint(1).ok());
  EXPECT_LE(window->memory_bytes(), 100'000u * 134 / 100);
  EXPECT_LE(fs::file_size(files()[0]), 100'000u * 94 / 10);  // 8 for the id, 1.34 of filter
}

}  // namespace
}  // namespace attune
