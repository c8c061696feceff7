// ProfileStore: where encoded profiles and snapshots of the other folds rest on disk. It only keeps
// bytes: folds live once, in memory, and what is stored of a person is sealed before it comes here.
// A commit is atomic: after a crash the store is as of one journal position. Reads are safe beside
// one commit under way; they see the last finished one.
#pragma once
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "event/id.h"

namespace attune {

struct StoredFold {
  std::string name;
  std::string bytes;
};

class ProfileStore {
 public:
  virtual ~ProfileStore() = default;
  // The last commit; 0 = nothing was ever committed.
  virtual Position position() const = 0;
  // The stored bytes; "" = none.
  virtual Result<std::string> load(Surrogate identity) = 0;
  virtual Result<std::string> load_fold(std::string_view name) = 0;
  // Every profile, in order of surrogate.
  virtual Status each(const std::function<Status(Surrogate, std::string_view)>& visit) = 0;

  // begin, any number of puts, then finish: visible and durable from there on. abandon() undoes.
  virtual Status begin() = 0;
  virtual Status put(Surrogate identity, std::string_view bytes) = 0;  // "" removes
  virtual Status put_fold(std::string_view name, std::string_view bytes) = 0;
  virtual Status finish(Position position) = 0;
  virtual void abandon() = 0;

  // A whole, consistent copy in a new file.
  virtual Status copy_to(const std::string& path) = 0;
};

// One SQLite file in WAL mode. kCorrupt and kInvalid (a newer format) name the file and the mend.
Result<std::unique_ptr<ProfileStore>> open_sqlite_store(const std::string& path);
// To read a base of a workspace that may be in use: a base is never changed, only replaced. Nothing
// is written, and what writes fails.
Result<std::unique_ptr<ProfileStore>> open_sqlite_reader(const std::string& path);

}  // namespace attune
