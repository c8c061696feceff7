// Team: threads that work through phases together, thousands a second. A phase has a part for each
// member; all parts of a phase are done before any of the next. A thread does the part of its own
// number, and any that nobody has begun after a moment: what is done does not depend on which
// thread is faster, and a thread that the system lets wait holds up little. Who waits looks again
// and again for some microseconds, then lets others run, then sleeps. run() is one thread's.
#pragma once
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <thread>
#include <vector>

namespace attune {

class Team {
 public:
  static constexpr std::size_t kMost = 8;
  explicit Team(std::size_t members);  // in [1, kMost], the caller's thread included
  Team(const Team&) = delete;
  Team& operator=(const Team&) = delete;
  ~Team();  // ends the threads
  std::size_t size() const { return members_; }
  // part(phase, member) for each phase below `phases` and each member. What is done in a phase is
  // seen by all in the next.
  using Part = std::function<void(std::size_t phase, std::size_t member)>;
  // It is copied: what it needs should not lie on the caller's stack, in lines the caller writes.
  void run(std::size_t phases, const Part& part);

 private:
  void run_some(std::size_t begin, std::size_t end);
  bool do_some(std::size_t member, std::uint32_t seen, bool also_others);
  void do_part(std::uint32_t phase, std::uint32_t member);
  template <class IsOver>
  void take_part(std::size_t member, const IsOver& is_over);

  const std::size_t members_;
  Part part_;  // of run(), as what follows
  std::size_t begin_ = 0, end_ = 0;
  std::uint32_t first_ = 0;  // phase of the state that is begin_
  std::atomic<bool> is_ended_{false};
  std::vector<std::thread> threads_;
  // Phase (16 bits), parts nobody has begun (8), parts under way (8).
  alignas(64) std::atomic<std::uint32_t> state_{0};
};

}  // namespace attune
