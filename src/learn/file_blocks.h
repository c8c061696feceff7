// FileBlocks: the rows of a file made for learners, read and parsed on a thread of its own while
// another learns, unless that is not wanted. At most a few blocks are in memory. One thread.
#pragma once
#include <memory>
#include <string>
#include <vector>

#include "format/example_reader.h"
#include "learn/block_source.h"
#include "learn/prefetch.h"

namespace attune {

class FileBlocks final : public BlockSource {
 public:
  // options.names: told every feature of the first pass; slow.
  FileBlocks(std::string path, ExampleFormat format, ExampleOptions options = {});
  ~FileBlocks() override;
  // Rows are read when they are asked for, without a thread; before begin().
  void read_here() { is_ahead_ = false; }
  // kInvalid for a second pass over standard input.
  Status begin(std::size_t pass) override;
  Result<bool> next(Examples& out) override;
  double share() const override;
  // Of the pass so far, exact at its end.
  std::uint64_t bad_rows() const;
  const std::vector<BadRow>& first_bad() const { return first_bad_; }
  // At the end of a pass: the names of its fields, by number.
  const std::vector<std::string>& fields() const { return options_.fields; }

 private:
  struct Reading;
  Result<bool> read(Examples& out);

  const std::string path_;
  const ExampleFormat format_;
  ExampleOptions options_;
  bool is_ahead_ = true;
  std::unique_ptr<ExampleReader> reader_;  // the other thread's while it reads
  std::unique_ptr<Reading> reading_;       // what both threads see
  std::vector<BadRow> first_bad_;
  std::unique_ptr<Prefetch> prefetch_;  // the last: its thread ends first
};

}  // namespace attune
