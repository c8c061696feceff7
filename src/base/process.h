// What the operating system says of this process and its threads.
#pragma once
#include <cstdint>

namespace attune {

std::uint64_t thread_cpu_ns();       // a system call: once per batch, not per event
void name_thread(const char* name);  // as tools list it; at most 15 characters
std::uint64_t anonymous_bytes();     // resident, without what files back; 0 = not known

}  // namespace attune
