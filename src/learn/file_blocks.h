// FileBlocks: the rows of a file made for learners, read and parsed on a thread of its own while
// another learns, unless that is not wanted. One thread.
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
  // So many blocks are read ahead, 0 = without a thread, when they are asked for; before begin().
  void read_ahead(std::size_t blocks) { ahead_ = blocks; }
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
  std::size_t ahead_ = Prefetch::kBlocks;
  std::unique_ptr<ExampleReader> reader_;  // the other thread's while it reads
  std::unique_ptr<Reading> reading_;       // what both threads see
  std::vector<BadRow> first_bad_;
  std::unique_ptr<Prefetch> prefetch_;  // the last: its thread ends first
};

}  // namespace attune
