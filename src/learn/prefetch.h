// Prefetch: a thread that reads blocks of rows ahead of the one that learns from them, so many at
// most, in order: what is learned does not depend on which is faster. Or none: then next() reads.
// next() is one thread's.
#pragma once
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>
#include <vector>

#include "base/result.h"
#include "model/examples.h"

namespace attune {

class Prefetch {
 public:
  static constexpr std::size_t kBlocks = 3;  // ahead, for who takes one at a time
  // read: makes a block the next rows, false at the end; called on the other thread until it ends
  // or fails. The block holds earlier rows, to be written over.
  using Read = std::function<Result<bool>(Examples&)>;
  // ahead: blocks in memory beside the learner's own; 0 = none is read before it is asked for.
  explicit Prefetch(Read read, std::size_t ahead = kBlocks);
  Prefetch(const Prefetch&) = delete;
  Prefetch& operator=(const Prefetch&) = delete;
  ~Prefetch();  // stops reading
  // `out` becomes the next block, its memory is used again; false at the end, an error for ever.
  Result<bool> next(Examples& out);

 private:
  void work();

  const Read read_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<Examples> ready_, spare_;  // ready: oldest first. Guarded by mutex_, as what follows
  std::optional<Status> end_;            // why no more come
  bool is_stopped_ = false;
  std::thread thread_;
};

}  // namespace attune
