// CachedBlocks: the rows of a file, parsed once: the first pass writes a row cache, later ones (and
// later runs, while the file stays as it is) read it, on a thread of its own. One thread.
#pragma once
#include <memory>
#include <optional>
#include <string>

#include "learn/file_blocks.h"
#include "model/row_cache.h"

namespace attune {

class CachedBlocks final : public BlockSource {
 public:
  // file: outlives this. A cache of another state of the file is made anew; kInvalid for standard
  // input, which has no state to know it by.
  static Result<std::unique_ptr<CachedBlocks>> open(FileBlocks& file, const std::string& path,
                                                    const std::string& format,
                                                    const std::string& cache);
  Status begin(std::size_t pass) override;
  Result<bool> next(Examples& out) override;
  double share() const override;
  // Whether the rows came from a cache made before: then no pass has parsed text.
  bool is_reused() const { return is_reused_; }

 private:
  CachedBlocks(FileBlocks& file, std::string cache, Hash128 source)
      : file_(file), cache_path_(std::move(cache)), source_(source) {}
  Status open_cache();

  FileBlocks& file_;
  const std::string cache_path_;
  const Hash128 source_;
  std::optional<RowCacheWriter> writer_;
  std::optional<RowCache> cache_;
  bool is_reused_ = false;
  std::size_t handed_out_ = 0;          // blocks of this pass
  std::size_t read_ = 0;                // the other thread's
  std::unique_ptr<Prefetch> prefetch_;  // the last: its thread ends first
};

}  // namespace attune
