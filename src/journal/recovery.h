// What a journal directory holds when it is opened, and reading it.
#pragma once
#include <memory>
#include <string>
#include <vector>

#include "journal/file.h"
#include "journal/journal.h"

namespace attune {

struct RecoveredLog {
  std::vector<Position> files;   // first positions, ascending
  std::uint64_t last_bytes = 0;  // valid bytes of the last file; the rest is a torn tail
  std::uint64_t bytes = 0;       // of all files
  Position end = 0;
};
// Verifies the last file. Removes a last file whose header was never written whole.
Result<RecoveredLog> recover_log(const std::string& directory);

// Holds the only right to write to the directory until destroyed.
Result<Fd> lock_directory(const std::string& directory);

// The records from..last of the files.
std::unique_ptr<JournalCursor> make_cursor(std::string directory, std::vector<Position> files,
                                           Position from, Position last);

}  // namespace attune
