// Archive: one tar file, compressed when its name ends in .zst, that tells the sha256 of each file
// put in. Streams: memory does not grow with the files. One thread.
#pragma once
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/time.h"

namespace attune {

struct ArchivedFile {
  std::string name;  // with / between folder and file
  std::uint64_t bytes = 0;
  std::string sha256;  // hex
  bool operator==(const ArchivedFile&) const = default;
};

class ArchiveWriter {
 public:
  virtual ~ArchiveWriter() = default;  // without finish() nothing is left on disk
  // As many bytes as the file has now, should it be growing.
  virtual Status add_file(const std::string& name, const std::string& source) = 0;
  virtual Status add_bytes(const std::string& name, std::string_view bytes) = 0;
  virtual const std::vector<ArchivedFile>& files() const = 0;
  // On disk under its name, which it takes only now.
  virtual Status finish() = 0;
};

// kConflict when there is such a file, kInvalid when the name ends in neither .tar nor .tar.zst.
// time: of every file inside.
Result<std::unique_ptr<ArchiveWriter>> create_archive(const std::string& path, Time time);

// Writes the files into `folder`, which is there, and tells what they were. is_wanted: of a name;
// one that is not wanted is an error. kCorrupt names the archive, and the file if one is damaged.
Result<std::vector<ArchivedFile>> extract_archive(
    const std::string& path, const std::string& folder,
    const std::function<bool(std::string_view name)>& is_wanted);

}  // namespace attune
