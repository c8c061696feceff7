// Interrupt: while it lives, the first Ctrl-C (or SIGTERM) is noted instead of ending the process,
// so that a long command can clean up; the second one ends it. One at a time.
#pragma once
#include <csignal>

#include "base/result.h"

namespace attune {

class Interrupt {
 public:
  Interrupt();
  ~Interrupt();
  Interrupt(const Interrupt&) = delete;
  Interrupt& operator=(const Interrupt&) = delete;
  static bool is_asked();
  // An error once asked.
  static Status check();

 private:
  struct sigaction before_int_ {};
  struct sigaction before_term_ {};
};

}  // namespace attune
