#include "cli/cpu_share.h"

#include <sys/resource.h>

#include <algorithm>
#include <chrono>
#include <ctime>
#include <thread>

namespace attune {
namespace {

constexpr double kLongestSleep = 1;  // so that a signal is not answered late
constexpr int kLowestPriority = 19;

double seconds_of(clockid_t clock) {
  timespec now{};
  ::clock_gettime(clock, &now);
  return static_cast<double>(now.tv_sec) + 1e-9 * static_cast<double>(now.tv_nsec);
}

}  // namespace

CpuShare::CpuShare(double share)
    : share_(share),
      begin_s_(seconds_of(CLOCK_MONOTONIC)),
      begin_cpu_s_(seconds_of(CLOCK_PROCESS_CPUTIME_ID)) {
  if (share_ < 1) ::setpriority(PRIO_PROCESS, 0, kLowestPriority);
}

void CpuShare::keep() const {
  if (share_ >= 1) return;
  const double used = seconds_of(CLOCK_PROCESS_CPUTIME_ID) - begin_cpu_s_;
  const double passed = seconds_of(CLOCK_MONOTONIC) - begin_s_;
  const double ahead = std::min(used / share_ - passed, kLongestSleep);
  if (ahead > 0) std::this_thread::sleep_for(std::chrono::duration<double>(ahead));
}

}  // namespace attune
