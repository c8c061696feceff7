// The journal of a workspace that is stopped or in use: what was whole on disk at open.
#include <fmt/format.h>

#include <algorithm>
#include <filesystem>

#include "journal/cursor.h"
#include "journal/journal.h"
#include "journal/recovery.h"

namespace attune {
namespace {

class FileJournalReader final : public JournalReader {
 public:
  FileJournalReader(std::string directory, RecoveredLog log)
      : directory_(std::move(directory)), log_(std::move(log)) {}

  Result<std::unique_ptr<JournalCursor>> read(Position from) override {
    return make_cursor(directory_, log_.files, std::max(from, first()), log_.end);
  }
  Result<std::unique_ptr<JournalCursor>> read_at_time(Time time) override {
    TRY(const Position from, position_at_time(directory_, log_.files, log_.end, time));
    return read(from);
  }
  Position first() const override { return log_.files.empty() ? 1 : log_.files.front(); }
  Position end() const override { return log_.end; }
  std::uint64_t bytes() const override { return log_.bytes; }

 private:
  const std::string directory_;
  const RecoveredLog log_;
};

}  // namespace

Result<std::unique_ptr<JournalReader>> open_journal_reader(const std::string& directory) {
  std::error_code ec;
  if (!std::filesystem::is_directory(directory, ec)) {
    return Error{Code::kNotFound,
                 fmt::format("there is no journal in {}", directory),
                 {},
                 "name the folder of a workspace"};
  }
  TRY(RecoveredLog log, recover_log(directory, false));
  return std::unique_ptr<JournalReader>(
      std::make_unique<FileJournalReader>(directory, std::move(log)));
}

}  // namespace attune
