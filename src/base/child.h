// A child process, waited for. One thread.
#pragma once
#include <stop_token>
#include <string>
#include <vector>

#include "base/result.h"

namespace attune {

struct ChildDone {
  int code = 0;  // as it exited; 128 + the signal that ended it
  std::string out;
  std::string err;  // the last of it
};

// Runs `arguments` (the first is the path of the program) to its end and takes what it prints, at
// most most_out bytes of stdout. It is ended when `stop` is requested. kUnavailable when it cannot
// be started.
Result<ChildDone> run_child(const std::vector<std::string>& arguments, const std::stop_token& stop,
                            std::size_t most_out = 1u << 20);

// The file of this program.
Result<std::string> own_program();

}  // namespace attune
