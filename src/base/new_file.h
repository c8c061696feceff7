// NewFile: a file written piece by piece beside its place, then made durable and renamed: the old
// file or the whole new one is there at any time. Leaves nothing behind when it ends before
// finish(). One thread.
#pragma once
#include <cstdint>
#include <string>
#include <string_view>

#include "base/file.h"
#include "base/result.h"

namespace attune {

class NewFile {
 public:
  static Result<NewFile> create(const std::string& path);
  NewFile(NewFile&&) noexcept = default;
  NewFile& operator=(NewFile&&) noexcept = default;
  ~NewFile();
  Status append(std::string_view bytes);
  // Over bytes already appended.
  Status overwrite(std::uint64_t offset, std::string_view bytes);
  std::uint64_t size() const { return size_; }
  // Gives it its name. Then nothing may be written.
  Status finish();

 private:
  NewFile() = default;
  std::string path_, fresh_;
  Fd fd_;
  std::uint64_t size_ = 0;
};

}  // namespace attune
