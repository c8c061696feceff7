#include "cli/cpu_share.h"

#include <gtest/gtest.h>
#include <sys/resource.h>

#include <chrono>
#include <ctime>

namespace attune {
namespace {

double seconds_of(clockid_t clock) {
  timespec now{};
  ::clock_gettime(clock, &now);
  return static_cast<double>(now.tv_sec) + 1e-9 * static_cast<double>(now.tv_nsec);
}

// What was used is at most the share of what passed: sleeping makes it so, however slow the
// machine.
TEST(CpuShare, IsKeptByWaiting) {
  const double begin_s = seconds_of(CLOCK_MONOTONIC);
  const double begin_cpu_s = seconds_of(CLOCK_PROCESS_CPUTIME_ID);
  const CpuShare cpu(0.25);
  EXPECT_EQ(::getpriority(PRIO_PROCESS, 0), 19);
  double used = 0;
  while (used < 0.1) {
    (void)seconds_of(CLOCK_MONOTONIC);
    cpu.keep();
    used = seconds_of(CLOCK_PROCESS_CPUTIME_ID) - begin_cpu_s;
  }
  EXPECT_GE(seconds_of(CLOCK_MONOTONIC) - begin_s, 0.95 * used / 0.25);
}

}  // namespace
}  // namespace attune
