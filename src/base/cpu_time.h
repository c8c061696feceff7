// CPU time of the calling thread, and its name for tools that list threads.
#pragma once
#include <cstdint>

namespace attune {

std::uint64_t thread_cpu_ns();       // a system call: once per batch, not per event
void name_thread(const char* name);  // at most 15 characters

}  // namespace attune
