// Seeking, retention and reading without the lock.
#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>
#include <fstream>

#include "base/rng.h"
#include "journal/frame.h"
#include "journal/journal.h"

namespace attune {
namespace {

namespace fs = std::filesystem;

class JournalReaderTest : public testing::Test {
 protected:
  JournalReaderTest() {
    char name[] = "/tmp/attune_reader_XXXXXX";
    options_.directory = ::mkdtemp(name);
    options_.file_bytes = 600;
  }
  ~JournalReaderTest() override { fs::remove_all(options_.directory); }

  std::unique_ptr<Journal> open() {
    auto journal = open_file_journal(options_);
    EXPECT_TRUE(journal.ok()) << (journal.ok() ? "" : journal.error().message);
    return journal.ok() ? std::move(journal).value() : nullptr;
  }
  std::unique_ptr<JournalReader> reader() {
    auto journal = open_journal_reader(options_.directory);
    EXPECT_TRUE(journal.ok()) << (journal.ok() ? "" : journal.error().message);
    return journal.ok() ? std::move(journal).value() : nullptr;
  }
  static Record at(std::int64_t us) {
    Record r;
    r.kind = Kind::kEvent;
    r.received = time_from_us(us);
    r.payload = std::to_string(us) + std::string(40, '.');
    return r;
  }
  // One frame of records received at these times.
  static void append(Journal& journal, const std::vector<std::int64_t>& times) {
    std::vector<Record> records;
    for (const std::int64_t us : times) records.push_back(at(us));
    ASSERT_TRUE(journal.append(records).ok());
    ASSERT_TRUE(journal.flush().ok());
  }
  static void fill(Journal& journal, std::int64_t from, std::int64_t to) {
    for (std::int64_t us = from; us <= to; ++us) append(journal, {us});
  }
  // Positions up to the end, which must follow one another.
  static std::vector<Position> positions(Result<std::unique_ptr<JournalCursor>> cursor) {
    std::vector<Position> out;
    if (!cursor.ok()) ADD_FAILURE() << cursor.error().message;
    while (cursor.ok()) {
      const auto next = (*cursor)->next();
      if (!next.ok()) ADD_FAILURE() << next.error().message;
      if (!next.ok() || !*next) break;
      EXPECT_TRUE(out.empty() || (*next)->position == out.back() + 1);
      out.push_back((*next)->position);
    }
    return out;
  }
  std::size_t log_files() const {
    std::size_t files = 0;
    for (const auto& entry : fs::directory_iterator(options_.directory)) {
      files += entry.path().extension() == ".log" ? 1u : 0u;
    }
    return files;
  }
  FileJournalOptions options_;
};

TEST_F(JournalReaderTest, ReadsFromAnyPosition) {
  auto journal = open();
  EXPECT_EQ(journal->first(), 1u);
  EXPECT_TRUE(positions(journal->read(1)).empty());
  append(*journal, {1, 2, 3, 4, 5});
  fill(*journal, 6, 60);
  for (Position from = 1; from <= 60; ++from) {
    const auto read = positions(journal->read(from));
    ASSERT_EQ(read.size(), 61 - from);
    ASSERT_EQ(read.front(), from);
  }
  EXPECT_TRUE(positions(journal->read(61)).empty());
}

TEST_F(JournalReaderTest, SkippedPayloadsAreNotRead) {
  {
    auto journal = open();
    fill(*journal, 1, 4);
  }
  const std::string path = log_path(options_.directory, 1);
  std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
  file.seekp(kLogHeaderBytes + kFrameHeaderBytes + 5);
  file.put('!');
  file.close();
  options_.file_bytes = 1;  // the next frame starts a file: the damaged one is not the last
  auto other = open_journal_reader(options_.directory);
  ASSERT_FALSE(other.ok());  // as last file it is verified
  std::ofstream(log_path(options_.directory, 5), std::ios::binary) << log_header();
  auto journal = open();
  EXPECT_EQ(positions(journal->read(2)).size(), 3u);
  EXPECT_EQ((*journal->read(1))->next().error().code, Code::kCorrupt);
}

// Every record received at or after the time is found, whatever the clock did.
TEST_F(JournalReaderTest, NothingReceivedSinceATimeIsMissed) {
  Rng rng(7);
  std::vector<std::int64_t> received;  // by position
  auto journal = open();
  std::int64_t clock = 1000;
  for (int frame = 0; frame < 120; ++frame) {
    std::vector<std::int64_t> times;
    for (std::uint64_t i = 0; i <= rng.below(4); ++i) {
      clock += rng.chance(0.1) ? -static_cast<std::int64_t>(rng.below(50))
                               : static_cast<std::int64_t>(rng.below(10));
      times.push_back(clock);
    }
    append(*journal, times);
    received.insert(received.end(), times.begin(), times.end());
    if (frame == 60) {
      journal.reset();  // what was latest is known after a restart too
      journal = open();
    }
  }
  for (std::int64_t time = 900; time < clock + 20; ++time) {
    const auto read = positions(journal->read_at_time(time_from_us(time)));
    const Position from = read.empty() ? received.size() + 1 : read.front();
    for (Position p = 1; p < from; ++p) ASSERT_LT(received[p - 1], time);
    ASSERT_EQ(read, positions(reader()->read_at_time(time_from_us(time))));
  }
  // A time near the end is a seek, not a scan.
  EXPECT_LT(positions(journal->read_at_time(time_from_us(clock))).size(), received.size() / 4);
}

TEST_F(JournalReaderTest, KnowsTheLatestTimeWhenTheLastFileHoldsNoFrame) {
  {
    auto journal = open();
    append(*journal, {500});
    append(*journal, {100, 900, 200});
    append(*journal, {50});
  }
  std::ofstream(log_path(options_.directory, 6), std::ios::binary) << log_header();
  auto journal = open();
  append(*journal, {60});
  append(*journal, {950});
  EXPECT_EQ(positions(journal->read_at_time(time_from_us(951))).front(), 7u);
  EXPECT_EQ(positions(journal->read_at_time(time_from_us(900))).front(), 2u);
}

TEST_F(JournalReaderTest, DropsWholeFilesBeforeAPosition) {
  auto journal = open();
  fill(*journal, 1, 60);
  const std::uint64_t bytes = journal->bytes();
  const std::size_t files = log_files();
  EXPECT_EQ(journal->drop_before(2).value(), 1u);
  auto early = journal->read(1);
  const Position first = journal->drop_before(31).value();
  EXPECT_GT(first, 20u);
  EXPECT_LE(first, 31u);
  EXPECT_EQ(journal->first(), first);
  EXPECT_LT(journal->bytes(), bytes);
  EXPECT_LT(log_files(), files);
  EXPECT_EQ(positions(journal->read(1)).front(), first);
  EXPECT_EQ(positions(journal->read_at_time(time_from_us(1))).front(), first);
  const auto dropped = (*early)->next();
  ASSERT_FALSE(dropped.ok());
  EXPECT_EQ(dropped.error().code, Code::kNotFound);
  EXPECT_NE(dropped.error().message.find("retention"), std::string::npos);
  journal.reset();
  journal = open();
  EXPECT_EQ(journal->first(), first);
  fill(*journal, 61, 62);
  EXPECT_EQ(positions(journal->read(1)).size(), 63 - first);
  // The file that is being written stays.
  EXPECT_LE(journal->drop_before(1000).value(), 62u);
  EXPECT_EQ(log_files(), 1u);
  journal.reset();
  EXPECT_EQ(open()->end(), 62u);
}

TEST_F(JournalReaderTest, AMissingFileInTheMiddleIsDamage) {
  auto journal = open();
  fill(*journal, 1, 60);
  Position second = 0;
  for (Position p = 2; second == 0; ++p) {
    if (fs::exists(log_path(options_.directory, p))) second = p;
  }
  journal.reset();
  fs::remove(log_path(options_.directory, second));
  auto cursor = reader()->read(1);
  Result<std::optional<StoredRecord>> next = (*cursor)->next();
  while (next.ok() && *next) next = (*cursor)->next();
  ASSERT_FALSE(next.ok());
  EXPECT_EQ(next.error().code, Code::kCorrupt);
  EXPECT_NE(next.error().message.find("should begin with record"), std::string::npos);
}

TEST_F(JournalReaderTest, ReadsWhileAnotherWrites) {
  EXPECT_EQ(open_journal_reader(options_.directory + "/none").error().code, Code::kNotFound);
  EXPECT_EQ(reader()->end(), 0u);
  auto journal = open();
  fill(*journal, 1, 30);
  auto view = reader();
  EXPECT_EQ(view->end(), 30u);
  fill(*journal, 31, 40);
  EXPECT_EQ(positions(view->read(5)).size(), 26u);
  EXPECT_EQ(positions(reader()->read(5)).size(), 36u);
}

TEST_F(JournalReaderTest, LeavesATornTailAsItIs) {
  {
    auto journal = open();
    fill(*journal, 1, 3);
  }
  const std::string path = log_path(options_.directory, 1);
  std::ofstream(path, std::ios::binary | std::ios::app) << "torn";
  const std::string unborn = log_path(options_.directory, 4);
  std::ofstream(unborn, std::ios::binary) << "ATT";
  const auto size = fs::file_size(path);
  EXPECT_EQ(positions(reader()->read(1)).size(), 3u);
  EXPECT_EQ(fs::file_size(path), size);
  EXPECT_TRUE(fs::exists(unborn));
}

}  // namespace
}  // namespace attune
