// For tests: the journal over a LogFile of their own.
#pragma once
#include "journal/file.h"
#include "journal/journal.h"

namespace attune {

Result<std::unique_ptr<Journal>> open_file_journal_with(const FileJournalOptions& options,
                                                        LogFileFactory open_file);

}  // namespace attune
