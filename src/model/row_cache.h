// Row cache: Examples on disk as learners take them, so that later passes parse no text
// (docs/reference/model-format.md). Written once, whole or not at all; then mapped, each block
// checked as it is read.
#pragma once
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/file.h"
#include "base/hash.h"
#include "base/new_file.h"
#include "base/result.h"
#include "model/examples.h"

namespace attune {

// One thread. Leaves nothing behind when it ends before finish().
class RowCacheWriter {
 public:
  // source: what the rows are made of (file, format, options); a cache of another source is
  // refused.
  static Result<RowCacheWriter> open(const std::string& path, Hash128 source);
  // One block, read back as it is; a few thousand rows read fastest. Empty ones are left out.
  Status add(const Examples& rows);
  // Makes it durable and gives it its name. Then nothing may be added. notes: what rows do not say,
  // in bytes of the writer's own.
  Status finish(std::string_view notes = {});

 private:
  explicit RowCacheWriter(NewFile file) : file_(std::move(file)) {}
  struct Block {
    std::uint64_t offset, size;
    std::uint32_t rows, features;
  };
  NewFile file_;
  std::uint64_t rows_ = 0, fields_ = 0;
  std::vector<Block> blocks_;
  std::string buffer_;
};

// Const calls are safe to share.
class RowCache {
 public:
  // kNotFound when there is none, kConflict when it was made of another source, kCorrupt for
  // damage, kInvalid for a newer version.
  static Result<RowCache> open(const std::string& path, Hash128 source);
  std::size_t blocks() const { return blocks_.size(); }
  std::uint64_t rows() const { return rows_; }
  std::size_t fields() const { return fields_; }  // the highest field plus 1
  std::string_view notes() const { return notes_; }
  std::uint64_t size_bytes() const { return file_.bytes().size(); }
  // `out` becomes the rows of a block. kCorrupt when they are damaged. Any order.
  Status read(std::size_t block, Examples& out) const;
  // Blocks [begin, end) of the file come into memory in one go.
  void bring(std::size_t begin, std::size_t end) const;
  // They leave memory. Many at once: every thread is stopped for it.
  void let_go(std::size_t begin, std::size_t end) const;

 private:
  struct Block {
    std::uint64_t offset, size;
    std::uint32_t rows, features;
  };
  std::string path_;
  MappedFile file_;
  std::vector<Block> blocks_;
  std::uint64_t rows_ = 0;
  std::size_t fields_ = 0;
  std::string_view notes_;  // in file_
};

}  // namespace attune
