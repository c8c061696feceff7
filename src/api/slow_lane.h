// SlowLane: a few threads for what waits for the disk or reads the journal, so that the threads of
// the HTTP server never do. Bounded: beyond it work is refused. Safe to share.
#pragma once
#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

namespace attune {

class SlowLane {
 public:
  SlowLane(std::size_t threads, std::size_t most_waiting);
  ~SlowLane();  // after all that waits has run
  SlowLane(const SlowLane&) = delete;
  SlowLane& operator=(const SlowLane&) = delete;
  // False when too much waits. The work must not throw.
  bool post(std::function<void()> work);

 private:
  void run();

  const std::size_t most_waiting_;
  std::mutex mutex_;  // guards what follows
  std::condition_variable changed_;
  std::deque<std::function<void()>> waiting_;
  bool is_ending_ = false;
  std::vector<std::jthread> threads_;
};

}  // namespace attune
