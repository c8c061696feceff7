// Prefetch: blocks of rows in order, read ahead of the one that learns from them, a few at most, by
// a thread of its own; the learner helps when the next block is not ready. What is learned does not
// depend on which is faster. Or without a thread: then the learner reads. next() is one thread's.
#pragma once
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <mutex>
#include <optional>
#include <thread>
#include <vector>

#include "base/result.h"
#include "format/divisible_reader.h"
#include "model/examples.h"

namespace attune {

class Prefetch {
 public:
  static constexpr std::size_t kBlocks = 4;  // in memory, the learner's own included
  // Holds what an earlier block held, to be written over.
  struct Block {
    std::uint64_t number = 0;  // from 0
    RowText text;
    Examples rows;
  };
  // Takes what the next block is made of, false at the end; by one thread after the other, until it
  // ends or fails.
  using Take = std::function<Result<bool>(Block&)>;
  // Makes its rows; on several threads at once. Nothing: take() did.
  using Make = std::function<Status(Block&)>;
  explicit Prefetch(Take take, Make make = nullptr, bool has_thread = true);
  Prefetch(const Prefetch&) = delete;
  Prefetch& operator=(const Prefetch&) = delete;
  ~Prefetch();  // stops reading
  // `out` becomes the next block, its memory is used again; false at the end, an error for ever.
  Result<bool> next(Block& out);

 private:
  struct Slot {
    Block block;
    bool is_ready = false;
    Status status = ok_status();  // of a block that is ready
  };
  bool can_take() const { return !is_taking_ && !end_ && taken_.size() < kBlocks - 1; }
  void work();
  void take_one(std::unique_lock<std::mutex>& lock);

  const Take take_;
  const Make make_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Slot> taken_;  // oldest first; guarded by mutex_, as what follows
  std::vector<Block> spare_;
  std::uint64_t handed_out_ = 0;  // blocks
  bool is_taking_ = false;
  std::optional<Status> end_;  // why no more come
  bool is_stopped_ = false;
  std::thread thread_;
};

}  // namespace attune
