// Staged imports: their blocks stand in a journal of their own, imports/NUMBER, sealed as they will
// be in the workspace's, until they are committed or undone.
#include <algorithm>
#include <filesystem>

#include "engine/workspace.h"
#include "journal/file.h"

namespace attune {
namespace {

namespace fs = std::filesystem;

// Its import records say how far it is.
Result<Import> read_staged(const std::string& directory) {
  TRY(const auto journal, open_journal_reader(directory));
  TRY(const auto cursor, journal->read(1));
  Imports found;
  while (true) {
    TRY(const auto stored, cursor->next());
    if (!stored) break;
    const Record& record = stored->record;
    if (record.kind != Kind::kImport) continue;
    TRY_OK(found.apply(stored->position, record.payload, record.received));
  }
  if (!found.all().empty()) return found.all().front();
  return Error{Code::kCorrupt, "the staged import in " + directory + " holds nothing", "",
               "remove the folder and import the file again"};
}

}  // namespace

std::string Workspace::staged_path(std::uint64_t number) const {
  return path("imports") + "/" + std::to_string(number);
}

Result<std::vector<Import>> Workspace::staged_imports() const {
  std::vector<Import> all;
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(path("imports"), error)) {
    if (!entry.is_directory()) continue;
    TRY(all.emplace_back(), read_staged(entry.path().string()));
  }
  std::sort(all.begin(), all.end(),
            [](const Import& a, const Import& b) { return a.number < b.number; });
  return all;
}

Result<std::unique_ptr<Journal>> Workspace::open_staged(std::uint64_t number) const {
  std::error_code error;
  fs::create_directories(staged_path(number), error);
  if (error) return file_error("create", staged_path(number));
  return open_file_journal(
      {.directory = staged_path(number), .before_commit = [this] { return keyring_->sync(); }});
}

Result<std::vector<Engine::ImportStatus>> Workspace::imports() {
  TRY(const std::vector<Import> staged, staged_imports());
  std::vector<ImportStatus> all;
  {
    const std::scoped_lock lock(mutex_);
    for (const Import& one : state_.folds().imports.all()) all.push_back({one, false});
  }
  for (const Import& one : staged) all.push_back({one, true});
  std::stable_sort(all.begin(), all.end(),
                   [](const auto& a, const auto& b) { return a.import.number < b.import.number; });
  return all;
}

// Adds a record to the block. False: its person was erased meanwhile.
Result<bool> Workspace::take_staged(Record& record, SealedBlock& block) const {
  if (record.kind == Kind::kControl) {
    block.controls.push_back(std::move(record));
    return true;
  }
  if (!keyring_->has_key(record.surrogate)) return false;
  if (record.kind == Kind::kIdentity) {
    block.created.push_back(std::move(record));
    return true;
  }
  SealedBlock::Entry entry;
  TRY(entry.plain, keyring_->open(record));
  StoredEvent event;
  EventListReader list(entry.plain, record.received);
  while (record.kind == Kind::kEvents) {
    TRY(const bool is_there, list.next(event));
    if (!is_there) break;
    ++entry.events;
    block.latest = std::max(block.latest, event.event.time);
  }
  entry.record = std::move(record);
  block.persons.push_back(std::move(entry));
  return true;
}

// Block by block; those that an earlier commit brought over before it was cut short are left out.
Status Workspace::commit_blocks(std::uint64_t number, Import& import) {
  TRY(const auto staged, open_journal_reader(staged_path(number)));
  TRY(const auto cursor, staged->read(1));
  SealedBlock block;
  Imports sums;
  std::uint64_t rows = 0, accepted = 0;
  while (true) {
    TRY(auto stored, cursor->next());
    if (!stored) return ok_status();
    Record& record = stored->record;
    if (record.kind != Kind::kImport) {
      TRY_OK(take_staged(record, block));
      continue;
    }
    TRY_OK(sums.apply(stored->position, record.payload, record.received));
    const Import& sum = sums.all().front();
    block.rows = sum.rows - std::exchange(rows, sum.rows);
    block.accepted = sum.accepted - std::exchange(accepted, sum.accepted);
    if (block.rows > 0 && rows > import.rows) TRY_OK(append_import(std::move(block), import));
    block = {};
  }
}

// The import of that number as the journal has it, begun there if need be.
Result<Import> Workspace::begin_commit(const Import& staged) {
  {
    const std::scoped_lock lock(mutex_);
    if (const Import* const known = state_.folds().imports.find(staged.number)) return *known;
  }
  Import import = staged;
  import.rows = import.accepted = import.events = import.dropped = 0;
  import.blocks.clear();
  import.is_done = false;
  TRY_OK(begin_import(import));
  return import;
}

Result<Import> Workspace::commit_import(std::uint64_t number) {
  TRY_OK(ready());
  TRY(const std::vector<Import> staged, staged_imports());
  const auto found = std::find_if(staged.begin(), staged.end(),
                                  [&](const Import& one) { return one.number == number; });
  if (found == staged.end()) {
    return Error{Code::kNotFound, "no import " + std::to_string(number) + " is staged", "",
                 "attune import list shows them"};
  }
  if (!found->is_done) {
    return Error{Code::kConflict,
                 "the staging of import " + std::to_string(number) + " was cut short", "",
                 "stage the file again to complete it, or undo it"};
  }
  TRY(Import import, begin_commit(*found));
  if (!import.is_done) {
    TRY_OK(commit_blocks(number, import));
    TRY_OK(finish_import(import));
  }
  std::error_code error;
  fs::remove_all(staged_path(number), error);
  if (error) return file_error("remove", staged_path(number));
  return import;
}

// The persons it would have brought are forgotten, those known otherwise stay.
Status Workspace::drop_staged(std::uint64_t number) {
  TRY(const auto staged, open_journal_reader(staged_path(number)));
  TRY(const auto cursor, staged->read(1));
  std::vector<Surrogate> unused;
  std::vector<Record> used;  // identity records that only the staged import holds
  while (true) {
    TRY(auto stored, cursor->next());
    if (!stored) break;
    Record& record = stored->record;
    if (record.kind != Kind::kIdentity || !keyring_->has_key(record.surrogate)) continue;
    const std::scoped_lock lock(mutex_);
    TRY_OK(state_.load(record.surrogate));
    const bool is_used =
        !state_.graph().is_alone(record.surrogate) || state_.position_of(record.surrogate) != 0;
    if (is_used) {
      used.push_back(std::move(record));
    } else {
      unused.push_back(record.surrogate);
    }
  }
  if (!used.empty()) {
    const std::scoped_lock lock(mutex_);
    TRY_OK(journal_->append(used));
  }
  TRY_OK(journal_->flush());
  TRY_OK(keyring_->destroy(unused));
  std::error_code error;
  fs::remove_all(staged_path(number), error);
  return error ? Status(file_error("remove", staged_path(number))) : ok_status();
}

}  // namespace attune
