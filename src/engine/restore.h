// Restore: an archive and the newest key file become a workspace. Persons whose keys were destroyed
// after the backup are dropped from it before anything is served.
#pragma once
#include <cstdint>
#include <string>

#include "base/result.h"
#include "event/id.h"

namespace attune {

struct RestoreReport {
  std::uint64_t events = 0, decisions = 0;  // records of persons that are still known
  std::uint64_t identities = 0;             // still known
  std::uint64_t erased = 0;                 // identities erased after the backup
  Position position = 0;                    // the journal's last record
};

// workspace: absent, or an empty folder; after an error it is as it was. Opens it once.
//   kConflict   the folder holds something
//   kCorrupt    the archive is damaged or cut short, with the name of the file inside
//   kInvalid    the key file is older than the archive, or of another workspace
Result<RestoreReport> restore_workspace(const std::string& archive, const std::string& key_file,
                                        const std::string& workspace);

}  // namespace attune
