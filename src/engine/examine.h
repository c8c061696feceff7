// Examine: what can be said of a workspace by looking at its files, without changing them, beside a
// server or without one.
#pragma once
#include <string>
#include <vector>

#include "base/time.h"

namespace attune {

enum class Health { kOk, kWarn, kFail };

struct Finding {
  Health health = Health::kOk;
  std::string check;     // one word: "keys"
  std::string says;      // what was found
  std::string fix = {};  // what to do when it is not well
};

struct Examination {
  std::vector<Finding> findings;
  std::string holder;  // process id of the server that uses it; "" = none
};

// The process id of who uses it; "" = nobody.
std::string holder_of_workspace(const std::string& workspace);

// now: the machine's clock.
Examination examine(const std::string& workspace, Time now);

}  // namespace attune
