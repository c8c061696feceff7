// What a power cut or a bad disk does to a log file: the acknowledged prefix survives, nothing else
// is served.
#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>
#include <fstream>

#include "base/rng.h"
#include "journal/file_journal.h"
#include "journal/frame.h"

namespace attune {
namespace {

constexpr std::size_t kPage = 4096;

Record record(Position n) {
  return {.kind = Kind::kControl,
          .received = time_from_us(1'700'000'000'000'000),
          .payload = std::to_string(n) + std::string(600 + n % 700, 'p')};
}

class FaultTest : public testing::Test {
 protected:
  FaultTest() {
    char name[] = "/tmp/attune_fault_XXXXXX";
    options_.directory = ::mkdtemp(name);
  }
  ~FaultTest() override { std::filesystem::remove_all(options_.directory); }
  std::string path() const { return log_path(options_.directory, 1); }
  std::string slurp() const {
    std::ifstream in(path(), std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
  }
  void spit(std::string_view bytes) const {
    std::ofstream(path(), std::ios::binary).write(bytes.data(), std::ssize(bytes));
  }
  // Appends records [from, to] as one frame, synced.
  void fill(Position from, Position to) const {
    auto journal = open_file_journal(options_);
    ASSERT_TRUE(journal.ok()) << journal.error().message;
    std::vector<Record> records;
    for (Position n = from; n <= to; ++n) records.push_back(record(n));
    ASSERT_EQ((*journal)->append(records).value(), to);
    ASSERT_TRUE((*journal)->flush().ok());
  }
  // The last position; each record read is the one written.
  static Position verify(Journal& journal) {
    const auto cursor = journal.read(1).value();
    Position last = 0;
    while (true) {
      const auto next = cursor->next();
      EXPECT_TRUE(next.ok());
      if (!next.ok() || !*next) return last;
      EXPECT_EQ((*next)->position, ++last);
      EXPECT_EQ((*next)->record.payload, record(last).payload);
    }
  }

  FileJournalOptions options_;
};

TEST_F(FaultTest, AnyPagesOfAnUnsyncedWriteMayReachTheDisk) {
  fill(1, 10);
  const std::size_t synced = slurp().size();
  fill(11, 60);
  const std::string whole = slurp();
  ASSERT_GT(whole.size(), synced + 5 * kPage);
  Rng rng(3);
  for (int round = 0; round < 60; ++round) {
    std::string torn = whole;
    bool is_whole = true;
    for (std::size_t at = synced; at < whole.size();) {
      const std::size_t end = std::min((at / kPage + 1) * kPage, whole.size());
      if (rng.below(2) == 0) {
        std::fill(torn.begin() + std::ptrdiff_t(at), torn.begin() + std::ptrdiff_t(end), '\0');
        is_whole = false;
      }
      at = end;
    }
    spit(torn);
    auto journal = open_file_journal(options_);
    ASSERT_TRUE(journal.ok()) << journal.error().message;
    EXPECT_EQ(verify(**journal), is_whole ? 60u : 10u);
    journal->reset();
    fill(is_whole ? 61 : 11, 70);
    journal = open_file_journal(options_);
    ASSERT_TRUE(journal.ok()) << journal.error().message;
    EXPECT_EQ(verify(**journal), 70u);
  }
}

TEST_F(FaultTest, AFlippedBitIsNeverServed) {
  for (Position n = 1; n <= 12; ++n) fill(n, n);
  const std::string whole = slurp();
  Rng rng(4);
  for (int round = 0; round < 300; ++round) {
    std::string bad = whole;
    const std::size_t at = rng.below(bad.size());
    bad[at] = static_cast<char>(bad[at] ^ (1 << rng.below(8)));
    spit(bad);
    auto journal = open_file_journal(options_);
    if (journal.ok()) {
      EXPECT_EQ(verify(**journal), 11u) << "only the last frame may be taken for a torn tail";
      continue;
    }
    EXPECT_NE(journal.error().message.find(path()), std::string::npos);
    EXPECT_FALSE(journal.error().hint.empty());
  }
}

}  // namespace
}  // namespace attune
