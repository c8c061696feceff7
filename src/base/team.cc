#include "base/team.h"

#include <immintrin.h>
#include <sched.h>

#include <algorithm>
#include <bit>

#include "base/result.h"

namespace attune {
namespace {

// Looks before a thread does a part of another's, and before it lets others run.
constexpr int kGraceLooks = 24, kLooks = 1024, kYields = 256;
constexpr std::size_t kMostPhases = 1 << 15;  // at once, of the 2^16 the state counts

constexpr std::uint32_t phase_of(std::uint32_t state) { return state >> 16; }
constexpr std::uint32_t begun_by_none(std::uint32_t state) { return state >> 8 & 0xff; }
constexpr std::uint32_t under_way(std::uint32_t state) { return state & 0xff; }
constexpr bool is_idle(std::uint32_t state) { return (state & 0xffff) == 0; }

}  // namespace

Team::Team(std::size_t members) : members_(members) {
  CHECK(members >= 1 && members <= kMost);
  for (std::size_t member = 1; member < members; ++member) {
    threads_.emplace_back(
        [this, member] { take_part(member, [this](std::uint32_t) { return is_ended_.load(); }); });
  }
}

Team::~Team() {
  is_ended_ = true;
  state_ += 1U << 16;
  state_.notify_all();
  for (std::thread& thread : threads_) thread.join();
}

void Team::run(std::size_t phases, const Part& part) {
  part_ = part;
  for (std::size_t begin = 0; begin < phases; begin += kMostPhases) {
    run_some(begin, std::min(phases, begin + kMostPhases));
  }
}

void Team::run_some(std::size_t begin, std::size_t end) {
  begin_ = begin;
  end_ = end;
  first_ = (phase_of(state_.load(std::memory_order_relaxed)) + 1) & 0xffff;
  state_.store(first_ << 16 | ((1U << members_) - 1) << 8, std::memory_order_release);
  state_.notify_all();
  take_part(0, is_idle);
}

// Does parts until it is over.
template <class IsOver>
void Team::take_part(std::size_t member, const IsOver& is_over) {
  int looks = 0;
  while (true) {
    const std::uint32_t seen = state_.load(std::memory_order_acquire);
    if (is_over(seen)) return;
    if (do_some(member, seen, looks >= kGraceLooks)) {
      looks = 0;
    } else if (++looks < kLooks) {
      _mm_pause();
    } else if (looks < kLooks + kYields) {
      ::sched_yield();
    } else {
      state_.wait(seen, std::memory_order_acquire);
    }
  }
}

// False when there is nothing it may begin, or another was faster.
bool Team::do_some(std::size_t member, std::uint32_t seen, bool also_others) {
  const std::uint32_t free = begun_by_none(seen);
  if (free == 0) return false;
  const bool is_own_free = (free >> member & 1) != 0;
  if (!is_own_free && !also_others) return false;
  const auto part = is_own_free ? static_cast<std::uint32_t>(member)
                                : static_cast<std::uint32_t>(std::countr_zero(free));
  const std::uint32_t begun = (seen & ~(1U << (8 + part))) + 1;
  if (!state_.compare_exchange_strong(seen, begun, std::memory_order_acq_rel)) return false;
  do_part(phase_of(seen), part);
  return true;
}

void Team::do_part(std::uint32_t phase, std::uint32_t member) {
  const std::size_t at = begin_ + ((phase - first_) & 0xffff);
  const bool is_last = at + 1 == end_;  // run() may be over once the part is done
  part_(at, member);
  std::uint32_t state = state_.load(std::memory_order_relaxed);
  while (true) {
    std::uint32_t next = state - 1;
    const bool is_over = begun_by_none(next) == 0 && under_way(next) == 0;
    if (is_over) {
      next = ((phase + 1) & 0xffff) << 16;
      if (!is_last) next |= ((1U << members_) - 1) << 8;
    }
    if (!state_.compare_exchange_weak(state, next, std::memory_order_acq_rel)) continue;
    if (is_over) state_.notify_all();
    return;
  }
}

}  // namespace attune
