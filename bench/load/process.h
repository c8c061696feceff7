// What the kernel says of a process: processor time by thread name, and memory. Reads /proc.
#pragma once
#include <cstdint>
#include <map>
#include <string>

namespace attune::load {

struct Usage {
  double user_s = 0;                                                 // of all its threads
  double system_s = 0;                                               // the same, inside the kernel
  std::uint64_t peak_bytes = 0, resident_bytes = 0, file_bytes = 0;  // VmHWM, VmRSS, RssFile
  std::map<std::string, double> thread_s;  // both kinds, summed over threads of one name
  double cpu_s() const { return user_s + system_s; }
};

// All zero when there is no such process. pid 0 = this one.
Usage usage_of(int pid);

}  // namespace attune::load
