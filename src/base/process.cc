#include "base/process.h"

#include <pthread.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>

namespace attune {

std::uint64_t thread_cpu_ns() {
  timespec now{};
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<std::uint64_t>(now.tv_sec) * 1'000'000'000 +
         static_cast<std::uint64_t>(now.tv_nsec);
}

void name_thread(const char* name) { ::pthread_setname_np(::pthread_self(), name); }

std::uint64_t anonymous_bytes() {
  std::ifstream file("/proc/self/statm");  // pages: size, resident, of those backed by files
  std::uint64_t size = 0, resident = 0, shared = 0;
  if (!(file >> size >> resident >> shared)) return 0;
  return (resident - std::min(resident, shared)) *
         static_cast<std::uint64_t>(sysconf(_SC_PAGESIZE));
}

}  // namespace attune
