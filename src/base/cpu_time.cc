#include "base/cpu_time.h"

#include <pthread.h>
#include <time.h>

namespace attune {

std::uint64_t thread_cpu_ns() {
  timespec now{};
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<std::uint64_t>(now.tv_sec) * 1'000'000'000 +
         static_cast<std::uint64_t>(now.tv_nsec);
}

void name_thread(const char* name) { ::pthread_setname_np(::pthread_self(), name); }

}  // namespace attune
