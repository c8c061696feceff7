// CachedBlocks: the rows of a file, parsed once: the first pass writes a row cache, later ones (and
// later runs, while the file stays as it is) read it, on a thread of its own or those of a team.
// One thread.
#pragma once
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "learn/file_blocks.h"
#include "model/row_cache.h"

namespace attune {

// What a file's rows do not say.
struct RowNotes {
  std::vector<std::string> fields;  // their names, by number
  std::uint64_t bad_rows = 0;       // left out
  std::vector<BadRow> first_bad;
};

class CachedBlocks final : public BlockSource {
 public:
  // file: outlives this. A cache of another state of the file is made anew; kInvalid for standard
  // input, which has no state to know it by.
  static Result<std::unique_ptr<CachedBlocks>> open(FileBlocks& file, const std::string& path,
                                                    const std::string& format,
                                                    const std::string& cache);
  Status begin(std::size_t pass) override;
  Result<bool> next(Examples& out) override;
  // With a team its members read, unless a thread reads ahead.
  Result<std::size_t> next_some(std::span<Examples> out, Team* team) override;
  double share() const override;
  // As of FileBlocks.
  void read_ahead(std::size_t blocks) { ahead_ = blocks; }
  // Whether the rows came from a cache made before: then no pass has parsed text.
  bool is_reused() const { return is_reused_; }
  // Known once a pass has ended.
  const RowNotes& notes() const { return notes_; }

 private:
  CachedBlocks(FileBlocks& file, std::string cache, Hash128 source)
      : file_(file), cache_path_(std::move(cache)), source_(source) {}
  Status open_cache();
  void bring();
  void let_go();

  FileBlocks& file_;
  const std::string cache_path_;
  const Hash128 source_;
  std::optional<RowCacheWriter> writer_;
  std::optional<RowCache> cache_;
  RowNotes notes_;
  bool is_reused_ = false;
  // What members of a team see while they read.
  struct Reading {
    std::span<Examples> out;     // blocks read_ and after
    std::vector<Status> faults;  // of each member
  };
  Reading reading_;
  std::size_t ahead_ = Prefetch::kBlocks;
  std::size_t handed_out_ = 0;  // blocks of this pass
  // Blocks brought into memory, read, and let go: of the thread that reads.
  std::size_t brought_ = 0, read_ = 0, let_go_ = 0;
  std::unique_ptr<Prefetch> prefetch_;  // the last: its thread ends first
};

}  // namespace attune
