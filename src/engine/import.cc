// A file's rows: blocks are sealed by the caller and appended and folded by a second thread.
#include <algorithm>
#include <condition_variable>
#include <filesystem>
#include <mutex>
#include <thread>

#include "base/bytes.h"
#include "base/process.h"
#include "engine/workspace.h"

namespace attune {
namespace {

constexpr std::uint64_t kEventsATick = 32'768;

Status append_to(Journal& journal, std::span<const Record> records) {
  TRY_OK(journal.append(records));
  return ok_status();
}

}  // namespace

// Hands sealed blocks to one worker, one ahead at most.
class WorkspaceImporter final : public Importer {
 public:
  // staged: where blocks go instead of the workspace's own journal; null = there.
  WorkspaceImporter(Workspace& workspace, Import import, std::unique_ptr<Journal> staged)
      : workspace_(workspace),
        at_start_(import),
        import_(std::move(import)),
        staged_(std::move(staged)),
        block_(workspace.received_now()),
        worker_([this](const std::stop_token& stop) {
          name_thread("import");
          run(stop);
        }) {}

  const Import& import() const override { return at_start_; }

  Status event(const Event& event) override {
    block_.event(event);
    return ok_status();
  }
  Status decision(IdType type, std::string_view person, const Decision& decision) override {
    block_.decision(type, person, decision);
    return ok_status();
  }
  Status control(std::string json) override {
    block_.control(std::move(json));
    return ok_status();
  }
  Status end_row(bool is_accepted) override {
    block_.end_row(is_accepted);
    return block_.is_full() ? send() : ok_status();
  }

  Result<Import> finish() override {
    if (!block_.empty()) TRY_OK(send());
    {
      std::unique_lock lock(mutex_);
      changed_.wait(lock, [this] { return !is_busy_ && !next_; });
      TRY_OK(Status(failure_));
    }
    import_.is_done = true;
    if (!staged_) {
      TRY_OK(workspace_.finish_import(import_));
    } else {
      TRY_OK(append_staged({}, import_done_json(import_)));
      TRY_OK(staged_->flush());
    }
    return import_;
  }

 private:
  Status send() {
    const std::uint64_t begin_ns = thread_cpu_ns();
    TRY(SealedBlock sealed, block_.seal(*workspace_.keyring_));
    const std::uint64_t spent_ns = thread_cpu_ns() - begin_ns;
    {
      const std::scoped_lock counting(workspace_.mutex_);
      workspace_.counts_.stages.seal_ns += spent_ns;
    }
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return !next_; });
    TRY_OK(Status(failure_));
    next_ = std::move(sealed);
    changed_.notify_all();
    return ok_status();
  }

  void run(const std::stop_token& stop) {
    std::unique_lock lock(mutex_);
    while (changed_.wait(lock, stop, [this] { return next_.has_value(); })) {
      SealedBlock block = std::move(*next_);
      next_.reset();
      is_busy_ = true;
      const bool has_failed = !failure_.ok();
      changed_.notify_all();
      lock.unlock();
      Status status = has_failed ? ok_status() : append(std::move(block));
      lock.lock();
      if (!status.ok()) failure_ = std::move(status);
      is_busy_ = false;
      changed_.notify_all();
    }
  }

  Status append(SealedBlock block) {
    if (!staged_) return workspace_.append_import(std::move(block), import_);
    import_.rows += block.rows;
    import_.accepted += block.accepted;
    import_.events += block.controls.size();
    std::vector<Record> records = std::move(block.controls);
    std::move(block.created.begin(), block.created.end(), std::back_inserter(records));
    for (SealedBlock::Entry& entry : block.persons) {
      import_.events += std::max(entry.events, 1U);
      records.push_back(std::move(entry.record));
    }
    const std::uint64_t count = records.size();
    return append_staged(std::move(records), import_block_json(import_, count));
  }

  Status append_staged(std::vector<Record> records, std::string json) {
    records.push_back(
        {.kind = Kind::kImport, .received = import_.began, .payload = std::move(json)});
    TRY_OK(staged_->flush());  // the block before
    return append_to(*staged_, records);
  }

  Workspace& workspace_;
  const Import at_start_;
  Import import_;  // the worker's, and of finish() when it rests
  std::unique_ptr<Journal> staged_;
  ImportBlock block_;
  std::mutex mutex_;
  std::condition_variable_any changed_;
  std::optional<SealedBlock> next_;
  bool is_busy_ = false;
  Status failure_ = ok_status();
  std::jthread worker_;  // last: joins before the rest is destroyed
};

Status Workspace::append_import_record(const std::string& json) {
  const Record record{.kind = Kind::kImport, .received = now_locked(), .payload = json};
  TRY(const Position at, journal_->append({&record, 1}));
  return state_.import(at, json, record.received);
}

Status Workspace::begin_import(Import& import) {
  const std::scoped_lock lock(mutex_);
  if (is_closed_) return Error{Code::kUnavailable, "the workspace is closed"};
  TRY_OK(append_import_record(import_begin_json(import)));
  import = *state_.folds().imports.find(import.number);
  return ok_status();
}

// Leaves out the records of persons who refuse to be stored, or were erased since they were sealed.
void Workspace::drop_refused(SealedBlock& block, Import& import) {
  const auto is_dropped = [&](const SealedBlock::Entry& entry) {
    const Surrogate who = entry.record.surrogate;
    bool is_out = !erasing_.empty() || erasures_ != 0 ? !keyring_->has_key(who) : false;
    if (!is_out && state_.may_refuse_storage() && state_.load(who).ok()) {
      is_out = (state_.denied(who) & static_cast<std::uint8_t>(Purpose::kStorage)) != 0;
    }
    if (is_out) import.dropped += std::max(entry.events, 1U);
    return is_out;
  };
  std::erase_if(block.persons, is_dropped);
}

// The records of a block in their order, the ticks that so many events need and, last, what sums it
// up. Takes them out of the block; `import` becomes the sums.
std::vector<Record> Workspace::records_of(SealedBlock& block, Import& import) {
  std::vector<Record> records = std::move(block.controls);
  import.rows += block.rows;
  import.accepted += block.accepted;
  import.events += records.size();
  std::move(block.created.begin(), block.created.end(), std::back_inserter(records));
  const Time clock = std::max(is_event_clock_ ? block.latest : now_locked(), state_.clock());
  std::uint64_t tick = state_.tick_number(), since_tick = 0;
  for (SealedBlock::Entry& entry : block.persons) {
    import.events += std::max(entry.events, 1U);
    records.push_back(std::move(entry.record));
    since_tick += std::max(entry.events, 1U);
    if (since_tick < kEventsATick) continue;
    since_tick = 0;
    Record& record = records.emplace_back();
    record.received = clock;
    Writer(record.payload).u64(++tick);
  }
  const std::uint64_t count = records.size();
  records.push_back({.kind = Kind::kImport,
                     .received = now_locked(),
                     .payload = import_block_json(import, count)});
  return records;
}

// All of it in one frame: a crash leaves the whole block or nothing of it.
Status Workspace::append_import(SealedBlock block, Import& import) {
  TRY_OK(journal_->flush());  // the block before: two at most are in memory
  const std::scoped_lock lock(mutex_);
  if (is_closed_) return Error{Code::kUnavailable, "the workspace is closed"};
  drop_refused(block, import);
  if (!block.controls.empty()) {  // all of them apply, or nothing is written
    Catalog trial(*state_.catalog());
    for (const Record& one : block.controls) TRY_OK(trial.apply(one.payload, one.received));
  }
  const std::vector<Record> records = records_of(block, import);
  TRY(const Position last, journal_->append(records));
  latest_event_ = std::max(latest_event_, block.latest);
  TRY_OK(apply_import(records, last, block));
  if (!state_.trim()) set_over_limit(true);
  return ok_status();
}

// The same calls as a replay makes, but for the opening of payloads.
Status Workspace::apply_import(const std::vector<Record>& records, Position last,
                               const SealedBlock& block) {
  const std::uint64_t begin_ns = thread_cpu_ns();
  const ReplayHooks none;
  Position at = last - records.size();
  auto entry = block.persons.begin();
  for (const Record& record : records) {
    ++at;
    const bool is_plain = record.kind != Kind::kEvents && record.kind != Kind::kDecision;
    TRY_OK(apply_opened(at, record, is_plain ? record.payload : entry->plain, state_, none));
    if (is_plain) continue;
    counts_.events += entry->events;
    ++entry;
  }
  counts_.stages.fold_ns += thread_cpu_ns() - begin_ns;
  return ok_status();
}

Status Workspace::finish_import(Import& import) {
  {
    const std::scoped_lock lock(mutex_);
    if (is_closed_) return Error{Code::kUnavailable, "the workspace is closed"};
    TRY_OK(append_import_record(import_done_json(import)));
    TRY_OK(tick_locked(is_event_clock_ ? std::max(latest_event_, state_.clock()) : now_locked()));
    import = *state_.folds().imports.find(import.number);
  }
  return journal_->flush();
}

// What the workspace has of this file.
Result<Workspace::FoundImport> Workspace::find_import(const ImportStart& start) {
  TRY(const std::vector<Import> staged, staged_imports());
  FoundImport out;
  {
    const std::scoped_lock lock(mutex_);
    const Imports& known = state_.folds().imports;
    if (const Import* const found = known.find(start.digest, start.kind)) {
      return FoundImport{*found, FoundImport::kInJournal};
    }
    out.import.number = known.last_number() + 1;
  }
  for (const Import& one : staged) out.import.number = std::max(out.import.number, one.number + 1);
  for (const Import& one : staged) {
    if (one.digest != start.digest || one.kind != start.kind) continue;
    if (start.is_staged) return FoundImport{one, FoundImport::kStaged};
    return Error{Code::kConflict,
                 "this file is staged already, as import " + std::to_string(one.number), "",
                 "attune import commit " + std::to_string(one.number) + ", or undo"};
  }
  out.import.digest = start.digest;
  out.import.kind = start.kind;
  out.import.format = start.format;
  out.import.source = start.source;
  out.import.options = start.options;
  out.import.began = now();
  return out;
}

Result<std::unique_ptr<Importer>> Workspace::import_file(const ImportStart& start) {
  TRY_OK(ready());
  TRY(FoundImport found, find_import(start));
  Import& import = found.import;
  if (!import.is_done && import.options != start.options) {
    return Error{Code::kConflict,
                 "an import of this file was cut short; it read the rows as " + import.options, "",
                 "repeat that command, or attune import undo " + std::to_string(import.number)};
  }
  const bool is_new = found.where == FoundImport::kNew;
  if (is_new && !start.is_staged) TRY_OK(begin_import(import));
  std::unique_ptr<Journal> staged;
  if (start.is_staged && found.where != FoundImport::kInJournal) {
    TRY(staged, open_staged(import.number));
    const Record record{
        .kind = Kind::kImport, .received = import.began, .payload = import_begin_json(import)};
    if (is_new) TRY_OK(append_to(*staged, {&record, 1}));
  }
  return std::unique_ptr<Importer>(
      std::make_unique<WorkspaceImporter>(*this, std::move(import), std::move(staged)));
}

}  // namespace attune
