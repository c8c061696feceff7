#include "journal/file_journal.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <condition_variable>
#include <deque>
#include <filesystem>
#include <map>
#include <mutex>
#include <thread>

#include "base/process.h"
#include "journal/cursor.h"
#include "journal/frame.h"
#include "journal/recovery.h"

namespace attune {
namespace {

// Beyond this an append starts another frame: a slow disk then meets several frames of this size
// rather than one that grows without end.
constexpr std::size_t kTargetFrameBytes = 4u << 20;

class FileJournal final : public Journal {
 public:
  FileJournal(FileJournalOptions options, LogFileFactory open_file, Fd lock)
      : options_(std::move(options)), open_file_(std::move(open_file)), lock_(std::move(lock)) {}

  ~FileJournal() override {
    {
      const std::lock_guard lock(mutex_);
      stopping_ = true;
    }
    wake_.notify_one();
  }

  Status start() {
    TRY(RecoveredLog log, recover_log(options_.directory, true));
    end_ = durable_ = log.end;
    bytes_ = log.bytes;
    latest_ = log.latest;
    files_ = std::move(log.files);
    if (files_.empty()) {
      TRY_OK(create_file(1));
    } else {
      path_ = log_path(options_.directory, files_.back());
      TRY(file_, open_file_(path_));
      if (const std::uint64_t size = file_->size(); size > log.last_bytes) {
        TRY_OK(file_->truncate(log.last_bytes));
        if (options_.on_torn_tail) options_.on_torn_tail(path_, size - log.last_bytes);
      }
      // A killed process leaves frames that are written but not synced: from here on they count.
      TRY_OK(file_->sync());
      // A program of the older version must not meet records it cannot read in a file it opens.
      if (log.last_version != kLogVersion) TRY_OK(begin_file_of_this_version());
    }
    writer_ = std::jthread([this] {
      name_thread("journal");
      run();
    });
    return ok_status();
  }

  Result<Position> append(std::span<const Record> records) override {
    const std::size_t bound = frame_bound(records);
    if (bound > kMaxFrameBytes - kFrameHeaderBytes) {
      return Error{Code::kInvalid,
                   fmt::format("{} bytes are too much for one append; the most is {}", bound,
                               kMaxFrameBytes)};
    }
    const std::lock_guard lock(mutex_);
    if (failure_) return *failure_;
    if (records.empty()) return end_;
    if (pending_.empty() || pending_.back().bytes() + bound > kTargetFrameBytes) {
      pending_.emplace_back(end_ + 1, latest_);
    }
    for (const Record& record : records) {
      pending_.back().add(record);
      latest_ = std::max(latest_, record.received);
    }
    end_ += records.size();
    wake_.notify_one();
    return end_;
  }

  void when_durable(Position position, std::function<void(const Status&)> done) override {
    const std::lock_guard lock(mutex_);
    waiting_.emplace(position, std::move(done));
    wake_.notify_one();
  }

  Status flush() override {
    std::unique_lock lock(mutex_);
    const Position target = end_;
    settled_.wait(lock, [&] { return durable_ >= target || failure_; });
    if (durable_ >= target) return ok_status();
    return *failure_;
  }

  Result<std::unique_ptr<JournalCursor>> read(Position from) override {
    const std::lock_guard lock(mutex_);
    return make_cursor(options_.directory, files_, std::max(from, files_.front()), durable_);
  }

  Result<std::unique_ptr<JournalCursor>> read_at_time(Time time) override {
    std::unique_lock lock(mutex_);
    const std::vector<Position> files = files_;
    const Position last = durable_;
    lock.unlock();
    TRY(const Position from, position_at_time(options_.directory, files, last, time));
    return make_cursor(options_.directory, files, from, last);
  }

  Result<Position> drop_before(Position position) override {
    std::vector<Position> dropped;
    {
      const std::lock_guard lock(mutex_);
      while (files_.size() > 1 && files_[1] <= position) {
        dropped.push_back(files_.front());
        files_.erase(files_.begin());
      }
    }
    // Oldest first: a crash in between leaves no gap.
    for (const Position first : dropped) TRY_OK(remove_file(first));
    if (!dropped.empty()) TRY_OK(sync_directory(options_.directory));
    return this->first();
  }

  Position first() const override {
    const std::lock_guard lock(mutex_);
    return files_.front();
  }

  Position first_after_drop(Position position) const override {
    const std::lock_guard lock(mutex_);
    const auto beyond = std::upper_bound(files_.begin() + 1, files_.end(), position);
    return *(beyond - 1);
  }

  Position end() const override {
    const std::lock_guard lock(mutex_);
    return end_;
  }

  std::uint64_t bytes() const override {
    const std::lock_guard lock(mutex_);
    return bytes_;
  }

 private:
  // The writer thread: one frame, one sync, then the callbacks that became due. It outlives a
  // failure, to answer callbacks that come later.
  void run() {
    std::unique_lock lock(mutex_);
    for (;;) {
      wake_.wait(lock, [&] { return stopping_ || !pending_.empty() || due(); });
      if (!pending_.empty()) {
        FrameBuilder group = std::move(pending_.front());
        pending_.pop_front();
        commit(lock, std::move(group));
      }
      if (stopping_ && pending_.empty() && !failure_ && !due() && !waiting_.empty()) {
        fail(Error{Code::kUnavailable, "the journal was closed before this was written"});
      }
      call_due(lock);
      if (stopping_ && pending_.empty() && waiting_.empty()) return;
    }
  }

  void commit(std::unique_lock<std::mutex>& lock, FrameBuilder group) {
    lock.unlock();
    const Position last = group.last();
    const std::size_t size = group.bytes();
    const Status status = write(std::move(group));
    lock.lock();
    if (status.ok()) {
      durable_ = last;
      bytes_ += size;
      settled_.notify_all();
      return;
    }
    Error error = status.error();
    error.code = Code::kUnavailable;
    error.message = fmt::format(
        "journal file {} could not be written, so nothing more is accepted: {}; fix the disk, then "
        "start attune again",
        path_, error.message);
    if (error.hint.empty()) error.hint = "fix the disk, then start attune again";
    fail(std::move(error));
  }

  Status write(FrameBuilder group) {
    if (options_.before_commit) TRY_OK(options_.before_commit());
    if (file_->size() > options_.file_bytes) TRY_OK(create_file(group.last() + 1 - group.count()));
    const std::uint64_t before = file_->size();
    Status status = file_->append(group.finish());
    if (status.ok()) status = file_->sync();
    // Best effort: what was reported as failed should not come back when the journal is reopened.
    if (!status.ok() && file_->truncate(before).ok()) (void)file_->sync();
    return status;
  }

  // A file without records is begun again under its own name.
  Status begin_file_of_this_version() {
    if (files_.back() == end_ + 1) {
      bytes_ -= file_->size();
      files_.pop_back();
    }
    return create_file(end_ + 1);
  }

  Status create_file(Position first) {
    path_ = log_path(options_.directory, first);
    TRY(file_, open_file_(path_));
    if (file_->size() != 0) TRY_OK(file_->truncate(0));
    TRY_OK(file_->append(log_header()));
    TRY_OK(file_->sync());
    TRY_OK(sync_directory(options_.directory));
    const std::lock_guard lock(mutex_);
    files_.push_back(first);
    bytes_ += kLogHeaderBytes;
    return ok_status();
  }

  Status remove_file(Position first) {
    const std::string path = log_path(options_.directory, first);
    std::error_code ec;
    const std::uint64_t size = std::filesystem::file_size(path, ec);
    if (::unlink(path.c_str()) != 0) return file_error("remove", path);
    const std::lock_guard lock(mutex_);
    if (!ec) bytes_ -= size;
    return ok_status();
  }

  void fail(Error error) {
    failure_ = std::move(error);
    pending_.clear();
    settled_.notify_all();
  }

  bool due() const {
    return !waiting_.empty() && (failure_ || waiting_.begin()->first <= durable_);
  }

  void call_due(std::unique_lock<std::mutex>& lock) {
    while (due()) {
      auto node = waiting_.extract(waiting_.begin());
      const Status status = node.key() <= durable_ ? ok_status() : Status(Error(*failure_));
      lock.unlock();
      node.mapped()(status);
      node = {};  // what the callback holds is freed outside the lock too
      lock.lock();
    }
  }

  const FileJournalOptions options_;
  const LogFileFactory open_file_;
  const Fd lock_;
  std::unique_ptr<LogFile> file_;  // writer thread only, as is path_
  std::string path_;

  mutable std::mutex mutex_;
  std::condition_variable wake_;     // something for the writer thread
  std::condition_variable settled_;  // durable_ or failure_ changed
  std::vector<Position> files_;
  std::deque<FrameBuilder> pending_;
  std::multimap<Position, std::function<void(const Status&)>> waiting_;
  std::optional<Error> failure_;
  Position end_ = 0;
  Position durable_ = 0;
  std::uint64_t bytes_ = 0;
  Time latest_ = Time::min();  // of all appended
  bool stopping_ = false;
  std::jthread writer_;  // last: joins before the rest is destroyed
};

}  // namespace

Result<std::unique_ptr<Journal>> open_file_journal_with(const FileJournalOptions& options,
                                                        LogFileFactory open_file) {
  TRY(Fd lock, lock_directory(options.directory));
  auto journal = std::make_unique<FileJournal>(options, std::move(open_file), std::move(lock));
  TRY_OK(journal->start());
  return std::unique_ptr<Journal>(std::move(journal));
}

Result<std::unique_ptr<Journal>> open_file_journal(const FileJournalOptions& options) {
  return open_file_journal_with(options, open_log_file);
}

}  // namespace attune
