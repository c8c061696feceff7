// Blocks of a file: the same rows in the same blocks, whoever parses them.
#include "learn/file_blocks.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "base/rng.h"
#include "base/team.h"
#include "learn/cached_blocks.h"

namespace attune {
namespace {

// Lines of Criteo; every seventh is no row.
std::string write_rows(const std::string& name, std::size_t lines) {
  const std::string path = testing::TempDir() + name;
  Rng rng(2);
  std::ofstream out(path);
  for (std::size_t line = 1; line <= lines; ++line) {
    out << (line % 7 == 0 ? 2U : rng.below(2));
    for (int i = 0; i < 39; ++i) out << '\t' << rng.below(100);
    out << '\n';
  }
  return path;
}

std::vector<Examples> all_of(BlockSource& source, std::size_t pass = 0) {
  std::vector<Examples> blocks;
  EXPECT_TRUE(source.begin(pass).ok());
  for (Examples block; source.next(block).value();) blocks.push_back(block);
  return blocks;
}

// Read by so many threads, up to three at once.
Result<std::vector<Examples>> read_together(BlockSource& source, std::size_t threads) {
  Team team(threads);
  std::vector<Examples> blocks, some(3);
  TRY_OK(source.begin(0));
  while (true) {
    TRY(const std::size_t read, source.next_some(some, &team));
    blocks.insert(blocks.end(), some.begin(), some.begin() + static_cast<long>(read));
    if (read < some.size()) return blocks;
  }
}

void expect_same(const std::vector<Examples>& a, const std::vector<Examples>& b) {
  ASSERT_EQ(a.size(), b.size());
  for (std::size_t i = 0; i < a.size(); ++i) {
    ASSERT_EQ(a[i].labels, b[i].labels);
    ASSERT_EQ(a[i].ends, b[i].ends);
    for (std::size_t f = 0; f < a[i].features.size(); ++f) {
      ASSERT_EQ(a[i].features[f].hash, b[i].features[f].hash);
    }
  }
}

TEST(FileBlocks, AreTheSameWhoeverParsesThem) {
  constexpr std::size_t kLines = 10 * kBlockRows + 100;
  const std::string path = write_rows("file_blocks.tsv", kLines);
  FileBlocks here(path, ExampleFormat::kCriteo);
  here.read_ahead(0);
  const std::vector<Examples> wanted = all_of(here);
  ASSERT_EQ(wanted.size(), (kLines - kLines / 7 + kBlockRows - 1) / kBlockRows);
  EXPECT_EQ(here.bad_rows(), kLines / 7);
  for (int round = 0; round < 5; ++round) {
    FileBlocks ahead(path, ExampleFormat::kCriteo);
    for (const std::size_t pass : {0U, 1U}) {
      expect_same(all_of(ahead, pass), wanted);
      EXPECT_EQ(ahead.bad_rows(), kLines / 7);
      ASSERT_EQ(ahead.first_bad().size(), ExampleReader::kMostBadKept);
      for (std::size_t i = 0; i < ExampleReader::kMostBadKept; ++i) {
        EXPECT_EQ(ahead.first_bad()[i].line, 7 * (i + 1));
      }
      EXPECT_EQ(ahead.fields().size(), 39U);
    }
  }
  std::filesystem::remove(path);
}

TEST(FileBlocks, OfBadRowsAloneThereAreNone) {
  const std::string path = testing::TempDir() + "bad_blocks.tsv";
  {
    std::ofstream out(path);
    for (std::size_t i = 0; i < 3 * kBlockRows; ++i) out << "1\t2\n";
  }
  FileBlocks blocks(path, ExampleFormat::kCriteo);
  EXPECT_TRUE(all_of(blocks).empty());
  EXPECT_EQ(blocks.bad_rows(), 3 * kBlockRows);
  std::filesystem::remove(path);
}

TEST(CachedBlocks, AreThoseOfTheFile) {
  const std::string path = write_rows("cached_blocks.tsv", 5 * kBlockRows), cache = path + ".rows";
  std::filesystem::remove(cache);
  FileBlocks file(path, ExampleFormat::kCriteo);
  const std::vector<Examples> wanted = all_of(file);
  for (const bool is_reused : {false, true}) {
    FileBlocks again(path, ExampleFormat::kCriteo);
    const auto cached = CachedBlocks::open(again, path, "criteo", cache);
    ASSERT_TRUE(cached.ok());
    EXPECT_EQ((*cached)->is_reused(), is_reused);
    expect_same(all_of(**cached), wanted);
    expect_same(all_of(**cached, 1), wanted);
    EXPECT_EQ((*cached)->notes().bad_rows, file.bad_rows());
  }
  std::filesystem::remove(path);
  std::filesystem::remove(cache);
}

TEST(CachedBlocks, AreTheSameReadByATeam) {
  const std::string path = write_rows("team_blocks.tsv", 13 * kBlockRows), cache = path + ".rows";
  std::filesystem::remove(cache);
  FileBlocks file(path, ExampleFormat::kCriteo);
  const std::vector<Examples> wanted = all_of(file);
  // The first time rows are yet to be kept, and the thread that calls reads.
  for (const std::size_t threads : {3U, 1U, 2U, 5U}) {
    const auto cached = CachedBlocks::open(file, path, "criteo", cache);
    ASSERT_TRUE(cached.ok());
    (*cached)->read_ahead(0);
    EXPECT_EQ((*cached)->is_reused(), threads != 3);
    expect_same(read_together(**cached, threads).value(), wanted);
    EXPECT_EQ((*cached)->share(), 1);
  }
  std::filesystem::remove(path);
  std::filesystem::remove(cache);
}

TEST(MemoryBlocks, AreTheSameCopiedByATeam) {
  for (const std::size_t rows : {std::size_t{1}, 3 * kBlockRows, 7 * kBlockRows + 5}) {
    const std::string path = write_rows("memory_blocks.tsv", rows);
    FileBlocks file(path, ExampleFormat::kCriteo);
    Examples all;
    for (const Examples& block : all_of(file)) {
      for (std::size_t r = 0; r < block.size(); ++r) append_row(block, r, all);
    }
    MemoryBlocks blocks(all, every_row(all.size()));
    blocks.shuffled(3);
    const std::vector<Examples> wanted = all_of(blocks);
    for (const std::size_t threads : {1U, 2U, 5U}) {
      expect_same(read_together(blocks, threads).value(), wanted);
      EXPECT_EQ(blocks.share(), 1);
    }
    std::filesystem::remove(path);
  }
}

TEST(CachedBlocks, DamageThatATeamReadsIsAnError) {
  const std::string path = write_rows("bad_cache.tsv", 8 * kBlockRows), cache = path + ".rows";
  std::filesystem::remove(cache);
  FileBlocks file(path, ExampleFormat::kCriteo);
  (void)all_of(*CachedBlocks::open(file, path, "criteo", cache).value());
  {
    std::fstream bytes(cache, std::ios::in | std::ios::out | std::ios::binary);
    bytes.seekp(static_cast<long>(std::filesystem::file_size(cache) / 2));
    bytes.put('?').put('!');
  }
  const auto cached = CachedBlocks::open(file, path, "criteo", cache);
  ASSERT_TRUE(cached.ok() && (*cached)->is_reused());
  (*cached)->read_ahead(0);
  const auto read = read_together(**cached, 2);
  ASSERT_FALSE(read.ok());
  EXPECT_EQ(read.error().code, Code::kCorrupt);
  std::filesystem::remove(path);
  std::filesystem::remove(cache);
}

}  // namespace
}  // namespace attune
