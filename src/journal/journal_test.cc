#include "journal/journal.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <filesystem>
#include <fstream>
#include <future>
#include <sstream>

#include "base/bytes.h"
#include "base/hash.h"
#include "base/rng.h"
#include "journal/file_journal.h"
#include "journal/frame.h"
#include "journal/recovery.h"

namespace attune {
namespace {

namespace fs = std::filesystem;

std::string slurp(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  std::ostringstream out;
  out << in.rdbuf();
  return out.str();
}
void spit(const std::string& path, std::string_view bytes) {
  std::ofstream(path, std::ios::binary).write(bytes.data(), std::streamsize(bytes.size()));
}

Record record(std::uint64_t n) {
  Record r;
  r.kind = n % 3 == 0 ? Kind::kTick : Kind::kEvent;
  r.received = time_from_us(1'700'000'000'000'000 + static_cast<std::int64_t>(n * 1000));
  if (n % 3 != 0) r.surrogate = Surrogate{n * 77};
  if (n % 3 == 2) r.id_hash = n * 99;
  r.payload = "payload " + std::to_string(n) + std::string(n % 50, 'x');
  return r;
}

// Faults are for the file bytes of all files it opened together.
struct Faults {
  std::atomic<bool> fail_sync{false};
  std::atomic<bool> short_write{false};
  std::atomic<bool> no_space{false};
  std::atomic<bool> drop_unsynced{false};  // a write reaches the disk only with its sync
};

class FaultFile final : public LogFile {
 public:
  FaultFile(std::unique_ptr<LogFile> under, Faults& faults)
      : under_(std::move(under)), faults_(faults) {}
  Status append(std::string_view bytes) override {
    if (faults_.no_space) return Error{Code::kUnavailable, "No space left on device"};
    if (faults_.short_write) {
      TRY_OK(under_->append(bytes.substr(0, bytes.size() / 2)));
      return Error{Code::kUnavailable, "short write"};
    }
    unsynced_ += bytes;
    return ok_status();
  }
  Status sync() override {
    if (faults_.drop_unsynced) return Error{Code::kUnavailable, "power cut"};
    TRY_OK(under_->append(unsynced_));
    unsynced_.clear();
    if (faults_.fail_sync) return Error{Code::kUnavailable, "Input/output error"};
    return under_->sync();
  }
  Status truncate(std::uint64_t size) override {
    if (faults_.fail_sync || faults_.short_write || faults_.drop_unsynced) {
      return Error{Code::kUnavailable, "no truncate"};  // the worst case: the tail stays
    }
    unsynced_.clear();
    return under_->truncate(size);
  }
  std::uint64_t size() const override { return under_->size() + unsynced_.size(); }

 private:
  std::unique_ptr<LogFile> under_;
  Faults& faults_;
  std::string unsynced_;
};

class JournalTest : public testing::Test {
 protected:
  JournalTest() {
    char name[] = "/tmp/attune_journal_XXXXXX";
    options_.directory = ::mkdtemp(name);
  }
  ~JournalTest() override { fs::remove_all(options_.directory); }
  std::unique_ptr<Journal> open() {
    auto journal = open_file_journal(options_);
    EXPECT_TRUE(journal.ok()) << (journal.ok() ? "" : journal.error().message);
    return journal.ok() ? std::move(journal).value() : nullptr;
  }
  std::unique_ptr<Journal> open_faulty() {
    auto journal = open_file_journal_with(
        options_, [this](const std::string& path) -> Result<std::unique_ptr<LogFile>> {
          TRY(auto file, open_log_file(path));
          return std::unique_ptr<LogFile>(std::make_unique<FaultFile>(std::move(file), faults_));
        });
    EXPECT_TRUE(journal.ok());
    return std::move(journal).value();
  }
  static void fill(Journal& journal, std::uint64_t from, std::uint64_t to) {
    for (std::uint64_t n = from; n <= to; ++n) {
      const std::vector<Record> one{record(n)};
      ASSERT_EQ(journal.append(one).value(), n);
      ASSERT_TRUE(journal.flush().ok());
    }
  }
  // Reads from..end, checks each record, returns the last position.
  static Position verify(Journal& journal, Position from = 1) {
    auto cursor = journal.read(from);
    Position expected = from;
    for (;;) {
      auto next = (*cursor)->next();
      if (!next.ok()) {
        ADD_FAILURE() << next.error().message;
        return 0;
      }
      if (!next.value()) return expected - 1;
      const StoredRecord& got = **next;
      const Record want = record(expected);
      EXPECT_EQ(got.position, expected++);
      EXPECT_EQ(got.record.kind, want.kind);
      EXPECT_EQ(got.record.received, want.received);
      EXPECT_EQ(got.record.surrogate, want.surrogate);
      EXPECT_EQ(got.record.id_hash, want.id_hash);
      EXPECT_EQ(got.record.payload, want.payload);
    }
  }
  void fails_for_good(std::atomic<bool>& fault) {
    {
      auto journal = open_faulty();
      fill(*journal, 1, 5);
      fault = true;
      const std::vector<Record> one{record(6)};
      ASSERT_TRUE(journal->append(one).ok());
      std::promise<Status> told;
      journal->when_durable(6, [&](const Status& s) { told.set_value(s); });
      const Status status = told.get_future().get();
      ASSERT_FALSE(status.ok());
      EXPECT_EQ(status.error().code, Code::kUnavailable);
      EXPECT_NE(status.error().message.find(path(1)), std::string::npos);
      fault = false;
      const auto again = journal->append(one);
      ASSERT_FALSE(again.ok());
      EXPECT_EQ(again.error().code, Code::kUnavailable);
      EXPECT_FALSE(journal->flush().ok());
      EXPECT_EQ(verify(*journal), 5u);
    }
    auto journal = open();
    const Position end = verify(*journal);
    EXPECT_GE(end, 5u);
    fill(*journal, end + 1, end + 3);
    EXPECT_EQ(verify(*journal), end + 3);
  }
  std::string path(Position first) const { return log_path(options_.directory, first); }

  FileJournalOptions options_;
  Faults faults_;
};

TEST_F(JournalTest, RoundTripAndReopen) {
  {
    auto journal = open();
    fill(*journal, 1, 40);
    std::vector<Record> many;
    for (std::uint64_t n = 41; n <= 1000; ++n) many.push_back(record(n));
    EXPECT_EQ(journal->append(many).value(), 1000u);
    ASSERT_TRUE(journal->flush().ok());
    EXPECT_EQ(verify(*journal), 1000u);
    EXPECT_EQ(journal->bytes(), fs::file_size(path(1)));
  }
  auto journal = open();
  EXPECT_EQ(journal->end(), 1000u);
  EXPECT_EQ(verify(*journal), 1000u);
  EXPECT_EQ(verify(*journal, 500), 1000u);
  fill(*journal, 1001, 1010);
  EXPECT_EQ(verify(*journal, 1005), 1010u);
}

TEST_F(JournalTest, CallsBackWhenDurable) {
  auto journal = open();
  std::promise<Status> told;
  const std::vector<Record> two{record(1), record(2)};
  const Position last = journal->append(two).value();
  journal->when_durable(last, [&](const Status& s) { told.set_value(s); });
  EXPECT_TRUE(told.get_future().get().ok());
  EXPECT_EQ(verify(*journal), 2u);
  std::promise<Status> closed;
  journal->when_durable(99, [&](const Status& s) { closed.set_value(s); });
  journal.reset();
  EXPECT_FALSE(closed.get_future().get().ok());
}

TEST_F(JournalTest, CutsATornTailAtEveryOffset) {
  std::uint64_t before = 0;
  {
    auto journal = open();
    fill(*journal, 1, 5);
    before = journal->bytes();
    fill(*journal, 6, 6);
  }
  const std::string whole = slurp(path(1));
  for (std::uint64_t size = before; size < whole.size(); ++size) {
    spit(path(1), std::string_view(whole).substr(0, size));
    std::string cut;
    options_.on_torn_tail = [&](const std::string& file, std::uint64_t bytes) {
      cut = file + " " + std::to_string(bytes);
    };
    auto journal = open();
    ASSERT_EQ(verify(*journal), 5u) << size;
    ASSERT_EQ(cut, size == before ? "" : path(1) + " " + std::to_string(size - before));
    options_.on_torn_tail = nullptr;
    ASSERT_EQ(fs::file_size(path(1)), before);
  }
  for (std::uint64_t at = before; at < whole.size(); ++at) {
    std::string bad = whole;
    bad[at] = static_cast<char>(bad[at] ^ 4);
    spit(path(1), bad);
    auto journal = open();
    ASSERT_EQ(verify(*journal), 5u) << at;
  }
  auto journal = open();
  fill(*journal, 6, 8);
  EXPECT_EQ(verify(*journal), 8u);
}

TEST_F(JournalTest, RefusesAFlippedBitBeforeTheTail) {
  {
    auto journal = open();
    fill(*journal, 1, 3);
  }
  const std::string whole = slurp(path(1));
  const std::size_t last = whole.size() - 1 - kFrameHeaderBytes - 100;
  for (std::size_t at = 0; at < last && at < 120; ++at) {
    std::string bad = whole;
    bad[at] = static_cast<char>(bad[at] ^ 1);
    spit(path(1), bad);
    const auto journal = open_file_journal(options_);
    ASSERT_FALSE(journal.ok()) << at;
    EXPECT_EQ(journal.error().code, Code::kCorrupt);
    EXPECT_NE(journal.error().message.find(path(1)), std::string::npos);
    EXPECT_NE(journal.error().message.find("offset"), std::string::npos);
  }
}

TEST_F(JournalTest, RotatesAndFindsDamageInAnOldFile) {
  options_.file_bytes = 500;
  {
    auto journal = open();
    fill(*journal, 1, 60);
    EXPECT_EQ(verify(*journal), 60u);
    EXPECT_EQ(verify(*journal, 31), 60u);
  }
  std::size_t files = 0;
  for (const auto& entry : fs::directory_iterator(options_.directory)) {
    files += entry.path().extension() == ".log" ? 1u : 0u;
  }
  EXPECT_GT(files, 5u);
  EXPECT_EQ(verify(*open(), 7), 60u);
  std::string bytes = slurp(path(1));
  bytes[bytes.size() - 3] = static_cast<char>(bytes[bytes.size() - 3] ^ 1);
  spit(path(1), bytes);
  auto journal = open();
  auto cursor = journal->read(1);
  for (;;) {
    const auto next = (*cursor)->next();
    if (next.ok()) {
      ASSERT_TRUE(next.value().has_value()) << "the damage was not found";
      continue;
    }
    EXPECT_EQ(next.error().code, Code::kCorrupt);
    EXPECT_NE(next.error().message.find(path(1)), std::string::npos);
    break;
  }
}

TEST_F(JournalTest, FailedSyncEndsIt) { fails_for_good(faults_.fail_sync); }
TEST_F(JournalTest, ShortWriteEndsIt) { fails_for_good(faults_.short_write); }
TEST_F(JournalTest, FullDiskEndsIt) { fails_for_good(faults_.no_space); }
// The next log file is one no byte fits into.
TEST_F(JournalTest, AFullDiskAtANewLogFileIsSaidAndLosesNothingAcknowledged) {
  options_.file_bytes = 500;
  Position durable = 0;
  {
    auto journal = open();
    fill(*journal, 1, 1);
    for (Position next = 2; next <= 60; ++next) fs::create_symlink("/dev/full", path(next));
    Status status = ok_status();
    for (Position next = 2; next <= 60 && status.ok(); ++next) {
      const std::vector<Record> one{record(next)};
      ASSERT_EQ(journal->append(one).value(), next);
      status = journal->flush();
      if (status.ok()) durable = next;
    }
    ASSERT_FALSE(status.ok());
    EXPECT_EQ(status.error().code, Code::kUnavailable);
    EXPECT_NE(status.error().message.find(path(durable + 1) + " could not be written"),
              std::string::npos)
        << status.error().message;
    EXPECT_NE(status.error().message.find("No space left on device"), std::string::npos);
    EXPECT_EQ(status.error().hint, "free disk space, then start again");
    const std::vector<Record> one{record(durable + 2)};
    EXPECT_FALSE(journal->append(one).ok());
    EXPECT_EQ(verify(*journal), durable);
  }
  for (Position next = 2; next <= 60; ++next) fs::remove(path(next));
  std::ofstream(path(durable + 1)) << "ATT";  // a header may have been begun
  auto journal = open();
  ASSERT_NE(journal, nullptr);
  EXPECT_EQ(verify(*journal), durable);
  fill(*journal, durable + 1, durable + 30);
  EXPECT_EQ(verify(*journal), durable + 30);
}

TEST_F(JournalTest, UnsyncedWritesMayVanish) { fails_for_good(faults_.drop_unsynced); }

TEST_F(JournalTest, RefusesANewerFormat) {
  open().reset();
  std::string header = "ATTJRNL1";
  Writer w(header);
  w.u32(7);
  w.u64(hash64(header));
  spit(path(1), header);
  const auto journal = open_file_journal(options_);
  ASSERT_FALSE(journal.ok());
  EXPECT_NE(journal.error().message.find("format 7"), std::string::npos);
  EXPECT_NE(journal.error().message.find("up to format 3"), std::string::npos);
}

TEST_F(JournalTest, SecondOpenerIsRefused) {
  auto first = open();
  const auto second = open_file_journal(options_);
  ASSERT_FALSE(second.ok());
  EXPECT_EQ(second.error().code, Code::kConflict);
  EXPECT_NE(
      second.error().message.find("in use by another process (pid " + std::to_string(::getpid())),
      std::string::npos);
  EXPECT_EQ(holder_of(options_.directory), std::to_string(::getpid()));
  first.reset();
  EXPECT_EQ(holder_of(options_.directory), "");
  EXPECT_NE(open(), nullptr);
}

// Appends until killed; writes every durable position to the pipe.
[[noreturn]] void append_forever(const FileJournalOptions& options, int out) {
  auto journal = open_file_journal(options);
  if (!journal.ok()) ::_exit(1);
  for (Position n = (*journal)->end() + 1;; ++n) {
    const std::vector<Record> one{record(n)};
    if (!(*journal)->append(one).ok()) ::_exit(2);
    (*journal)->when_durable(n, [out, n](const Status& status) {
      if (status.ok() && ::write(out, &n, sizeof n) != sizeof n) ::_exit(3);
    });
    if (n % 16 == 0) (void)(*journal)->flush();
  }
}

TEST_F(JournalTest, KilledProcessLosesNothingAcknowledged) {
  options_.file_bytes = 20'000;
  Rng rng(1);
  Position acknowledged = 0;
  for (int round = 0; round < 30; ++round) {
    int ends[2];
    ASSERT_EQ(::pipe(ends), 0);
    const pid_t child = ::fork();
    if (child == 0) append_forever(options_, ends[1]);
    ::close(ends[1]);
    const std::uint64_t wanted = 1 + rng.below(100);
    Position n = 0;
    for (std::uint64_t i = 0; i < wanted; ++i) {
      ASSERT_EQ(::read(ends[0], &n, sizeof n), ssize_t(sizeof n));
      acknowledged = n;
    }
    ::kill(child, SIGKILL);
    int status = 0;
    ::waitpid(child, &status, 0);
    while (::read(ends[0], &n, sizeof n) == ssize_t(sizeof n)) acknowledged = n;
    ::close(ends[0]);
    auto journal = open();
    ASSERT_NE(journal, nullptr);
    const Position end = verify(*journal);
    ASSERT_EQ(end, journal->end());
    ASSERT_GE(end, acknowledged);
  }
}

}  // namespace
}  // namespace attune
