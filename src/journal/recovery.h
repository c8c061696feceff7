// What a journal directory holds when it is opened.
#pragma once
#include <string>
#include <vector>

#include "journal/file.h"
#include "journal/journal.h"

namespace attune {

struct RecoveredLog {
  std::vector<Position> files;   // first positions, ascending
  std::uint64_t last_bytes = 0;  // valid bytes of the last file; the rest is a torn tail
  std::uint32_t last_version = 0;
  std::uint64_t bytes = 0;  // of all files
  Position end = 0;
  Time latest = Time::min();  // latest `received` of any record
};
// Verifies the last file. A last file whose header was never written whole is left out, and
// removed when repairing.
Result<RecoveredLog> recover_log(const std::string& directory, bool is_repairing);

// Holds the only right to write to the directory until destroyed.
Result<Fd> lock_directory(const std::string& directory);
// The process id of who holds that right; "" = nobody.
std::string holder_of(const std::string& directory);

}  // namespace attune
