// BlockSource: the rows of a pass, block after block, for whoever learns from them or scores them.
// One thread.
#pragma once
#include <cstdint>
#include <span>
#include <vector>

#include "base/result.h"
#include "model/examples.h"

namespace attune {

class Team;

// A multiple of the mini-batches of every kind of model, so that blocks do not cut them.
inline constexpr std::size_t kBlockRows = 1024;

class BlockSource {
 public:
  virtual ~BlockSource() = default;
  // Begins pass number `pass`, from 0. An error where the rows cannot be had again.
  virtual Status begin(std::size_t pass) = 0;
  // `out` becomes the next rows, at most kBlockRows; false at the end.
  virtual Result<bool> next(Examples& out) = 0;
  // The same of several blocks, in order: how many of them there were, fewer than asked for at the
  // end alone; some may have no rows. team: threads that may help to read, as nobody else uses
  // them; or null.
  virtual Result<std::size_t> next_some(std::span<Examples> out, Team* team);
  // Of the rows of this pass handed out, in [0, 1]; less than 0 = not known.
  virtual double share() const = 0;
};

// Rows in memory, in order, or each pass in another order that follows from the seed.
class MemoryBlocks final : public BlockSource {
 public:
  // examples must outlive this. rows: which of them.
  MemoryBlocks(const Examples& examples, std::vector<std::uint32_t> rows);
  MemoryBlocks& shuffled(std::uint64_t seed);
  Status begin(std::size_t pass) override;
  Result<bool> next(Examples& out) override;
  // With a team its members copy.
  Result<std::size_t> next_some(std::span<Examples> out, Team* team) override;
  double share() const override;

 private:
  void copy(std::size_t begin, Examples& out) const;

  const Examples& examples_;
  std::vector<std::uint32_t> rows_, order_;
  std::uint64_t seed_ = 0;
  bool is_shuffled_ = false;
  std::size_t at_ = 0;
};

// Copies row `row` of `from` to the end of `to`.
void append_row(const Examples& from, std::size_t row, Examples& to);

std::vector<std::uint32_t> every_row(std::size_t n);

}  // namespace attune
